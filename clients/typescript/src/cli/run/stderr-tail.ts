import { stripVTControlCharacters } from 'node:util'

const MAX_BYTES = 4 * 1024
const MAX_LINES = 20

/** The last lines that a command wrote to stderr: at most 20 lines and 4 KB. */
export class StderrTail {
  #bytes = Buffer.alloc(0)
  #isCut = false

  add(chunk: Buffer): void {
    const all = Buffer.concat([this.#bytes, chunk.subarray(-MAX_BYTES)])
    if (chunk.length > MAX_BYTES || all.length > MAX_BYTES) this.#isCut = true
    // A copy, so that a large chunk is not kept for its end.
    this.#bytes = Buffer.from(all.subarray(-MAX_BYTES))
  }

  /** Without colors, and without what a progress bar has overwritten. */
  toString(): string {
    const text = stripVTControlCharacters(this.#bytes.toString('utf8'))
    const lines = text.trimEnd().split(/\r?\n/)
    // What is left of a line whose beginning is gone. It may begin within a character.
    if (this.#isCut && lines.length > 1) lines.shift()
    return lines
      .slice(-MAX_LINES)
      .map((line) => line.slice(line.lastIndexOf('\r') + 1))
      .join('\n')
  }
}
