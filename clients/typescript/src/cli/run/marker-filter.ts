import { Transform, type TransformCallback } from 'node:stream'
import { MARKER_NAMES } from './marker.ts'

const COLON = 0x3a
const NEWLINE = 0x0a
/** A line that begins like a marker and is longer than this is text. */
const MAX_MARKER_BYTES = 64 * 1024

/**
 * Takes the marker lines out of what a command prints, and passes everything else on, byte for byte and at once. Only a line that
 * may yet become a marker is held until it is complete.
 *
 * @param takeMarker is given each line that may be a marker, without its end; returns whether it was one
 * @param hasRoom resolves when more markers may come
 */
export class MarkerFilter extends Transform {
  readonly #takeMarker: (line: string) => boolean
  readonly #hasRoom: () => Promise<void>
  #isAtLineStart = true
  #held: Buffer | undefined

  constructor(takeMarker: (line: string) => boolean, hasRoom = () => Promise.resolve()) {
    super()
    this.#takeMarker = takeMarker
    this.#hasRoom = hasRoom
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#filter(this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]))
    void this.#hasRoom().then(() => done())
  }

  #filter(bytes: Buffer): void {
    this.#held = undefined
    /** Where what has not been passed on begins. */
    let from = 0
    for (let at = 0; at < bytes.length; ) {
      const newline = bytes.indexOf(NEWLINE, at)
      const end = newline === -1 ? bytes.length : newline
      const isCandidate = this.#isAtLineStart && bytes[at] === COLON && end - at <= MAX_MARKER_BYTES
      if (isCandidate && newline === -1 && this.#mayBecomeMarker(bytes.subarray(at))) {
        this.#pass(bytes.subarray(from, at))
        this.#held = bytes.subarray(at)
        return
      }
      if (isCandidate && newline !== -1 && this.#takeMarker(bytes.toString('utf8', at, newline))) {
        this.#pass(bytes.subarray(from, at))
        from = newline + 1
      }
      this.#isAtLineStart = newline !== -1
      at = end + 1
    }
    this.#pass(bytes.subarray(from))
  }

  override _flush(done: TransformCallback): void {
    const last = this.#held
    if (last !== undefined && !this.#takeMarker(last.toString('utf8'))) this.#pass(last)
    done()
  }

  #mayBecomeMarker(bytes: Buffer): boolean {
    const beginning = bytes.toString('latin1', 0, 12)
    return MARKER_NAMES.some((name) => {
      const start = `::${name}`
      if (beginning.length <= start.length) return start.startsWith(beginning)
      return beginning.startsWith(start) && /\s/.test(beginning.charAt(start.length))
    })
  }

  #pass(bytes: Buffer): void {
    if (bytes.length > 0) this.push(bytes)
  }
}
