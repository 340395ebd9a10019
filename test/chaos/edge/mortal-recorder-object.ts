import { RecorderObject as ProductRecorderObject } from '../../../src/recorder/recorder-object.ts'

/** The product's recorder, which can also be killed: with all that it holds, whatever it has under way. */
export class RecorderObject extends ProductRecorderObject {
  kill(): void {
    this.ctx.abort('killed by the chaos run')
  }
}
