import {
  RecorderObject as ProductRecorderObject,
  type RecordReply,
} from '../../../src/recorder/recorder-object.ts'
import type { PackedRecord } from '../../../src/store/record-jobs.ts'

/** The error message that callers of a killed recorder get. */
export const KILLED = 'killed by the chaos run'

/** The product's recorder, which can also be killed, with everything that it has in memory or under way. */
export class RecorderObject extends ProductRecorderObject {
  #underWay = 0

  override async record(record: PackedRecord, database: string): Promise<RecordReply> {
    this.#underWay++
    try {
      return await super.record(record, database)
    } finally {
      this.#underWay--
    }
  }

  killIfBusy(): void {
    if (this.#underWay > 0) this.ctx.abort(KILLED)
  }
}
