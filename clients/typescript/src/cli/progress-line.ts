import type { JobSummary } from '../job.ts'
import { formatCount, formatDuration, formatRate, plural } from './format.ts'
import { cutToWidth, printable, widthOf } from './printable.ts'

interface Part {
  text: string
  /** The parts of the lowest rank are left out first where there is no room for all. */
  rank: number
  /** An SGR color. */
  color?: number
}

const GAP = '  '
const BAR_COLUMNS = 20
/** A stage that is cut shorter than this says nothing. */
const LEAST_STAGE = 8
const [RED, GREEN, YELLOW] = [31, 32, 33]

/** The state of a job on one line of at most `columns`: bar, counts, rate, time left, errors, warnings, stage. */
export function progressLine(job: JobSummary, columns: number, { hasColors = false } = {}): string {
  const parts = partsOf(job)
  while (parts.length > 1 && widthOf(textOf(parts)) > columns) {
    const least = Math.min(...parts.map(({ rank }) => rank))
    parts.splice(
      parts.findIndex(({ rank }) => rank === least),
      1,
    )
  }
  const { stage } = job.metadata
  const room = columns - widthOf(textOf(parts)) - GAP.length
  if (typeof stage === 'string' && stage !== '' && room >= LEAST_STAGE)
    parts.push({ text: cutToWidth(printable(stage), room), rank: 0 })
  const [only] = parts
  if (parts.length === 1 && only !== undefined) only.text = cutToWidth(only.text, columns)
  return parts
    .map(({ text, color }) => (hasColors && color !== undefined ? `\x1b[${color}m${text}\x1b[39m` : text))
    .join(GAP)
}

function textOf(parts: Part[]): string {
  return parts.map(({ text }) => text).join(GAP)
}

function partsOf(job: JobSummary): Part[] {
  const { status, totalItems, progressPercentage, ratePerSecond, etaSeconds } = job
  const handled = formatCount(job.processedItems + job.failedItems)
  const isCounted = totalItems > 0
  const parts: (Part | false)[] = [
    isCounted && { text: drawBar(progressPercentage), rank: 2, color: GREEN },
    isCounted && { text: `${Math.floor(progressPercentage)}%`.padStart(4), rank: 9 },
    { text: isCounted ? `${handled}/${formatCount(totalItems)}` : `${handled} done`, rank: 8 },
    status !== 'in_progress' && { text: status.replaceAll('_', ' '), rank: 7 },
    job.stalledAt !== null && { text: 'stalled', rank: 7, color: YELLOW },
    ratePerSecond !== null && { text: `${formatRate(ratePerSecond)}/s`, rank: 3 },
    etaSeconds !== null && { text: `ETA ${formatDuration(etaSeconds)}`, rank: 4 },
    job.errorCount > 0 && { text: plural(job.errorCount, 'error'), rank: 6, color: RED },
    job.warningCount > 0 && { text: plural(job.warningCount, 'warning'), rank: 5, color: YELLOW },
  ]
  return parts.filter((part) => part !== false)
}

function drawBar(percentage: number): string {
  const done = Math.floor((Math.min(100, Math.max(0, percentage)) / 100) * BAR_COLUMNS)
  return `[${'#'.repeat(done).padEnd(BAR_COLUMNS, '-')}]`
}
