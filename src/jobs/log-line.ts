import { MAX_LOG_BYTES, MAX_LOG_LINES } from './limits.ts'
import { utf8Bytes } from './utf8-bytes.ts'

/** A `message` that was reported on a job. */
export interface LogLine {
  /** Its number among all messages of the job: 1, 2, 3, … */
  seq: number
  /** In ms since the epoch. */
  at: number
  /** The revision of the job that it came with. */
  revision: number
  text: string
}

/** The newest of some lines, oldest first, that are kept: as many as may be, and as fit. */
export function newestLines(lines: LogLine[]): LogLine[] {
  let bytes = 0
  const newest = lines.slice(-MAX_LOG_LINES)
  const oldestLeftOut = newest.findLastIndex((line) => {
    bytes += utf8Bytes(JSON.stringify(line.text))
    return bytes > MAX_LOG_BYTES
  })
  return newest.slice(oldestLeftOut + 1)
}
