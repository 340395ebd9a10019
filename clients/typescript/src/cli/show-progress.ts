import type { JobSummary } from '../job.ts'
import { progressLine } from './progress-line.ts'

/** Shows states of a job as they come. */
interface ProgressView {
  /** The least time between two states that are shown, unless the caller says otherwise. */
  intervalMs: number
  show(job: JobSummary): void
  /** Makes room for what is written next. */
  end(): void
}

/** Between the lines of a log. */
const LINES_MS = 2_000

type Terminal = NodeJS.WriteStream
type Environment = Record<string, string | undefined>

/** On a terminal, one line that is redrawn and fits its width; otherwise a line for each state. */
export function showProgress(output: Terminal, environment: Environment): ProgressView {
  const hasColors = !environment.NO_COLOR
  if (output.isTTY && environment.TERM !== 'dumb') return redrawLine(output, hasColors)
  return { intervalMs: LINES_MS, show: (job) => void output.write(`${progressLine(job, 200)}\n`), end() {} }
}

function redrawLine(output: Terminal, hasColors: boolean): ProgressView {
  let shown: JobSummary | undefined
  const draw = () => {
    // A character in the last column would make some terminals begin a new line.
    const line = shown && progressLine(shown, (output.columns || 80) - 1, { hasColors })
    if (line !== undefined) output.write(`\r${line}\x1b[K`)
  }
  output.on('resize', draw)
  return {
    intervalMs: 0,
    show(job) {
      shown = job
      draw()
    },
    end() {
      output.off('resize', draw)
      if (shown !== undefined) output.write('\r\x1b[K')
      shown = undefined
    },
  }
}
