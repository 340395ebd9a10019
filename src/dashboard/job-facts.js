import { element, setAttribute, setText } from './dom.js'
import {
  formatEstimate,
  formatNumber,
  formatPercentage,
  formatRate,
  formatTime,
  formatTimeWithSeconds,
  formatWholeTime,
  NOTHING,
} from './format.js'
import { createRunningTime } from './running-time.js'
import { isFinished } from './status.js'

/** @import { Job } from './wire.js' */

/** The numbers of a job, each with a label. */
export function createJobFacts() {
  const duration = createRunningTime()
  const processed = fact('Processed')
  const failed = fact('Failed')
  const warned = fact('With warnings')
  const success = fact('Success rate')
  const rate = fact('Rate')
  const left = fact('Time left')
  const started = fact('Started')
  const lasted = fact('Duration', duration.node)
  const all = [processed, failed, warned, success, rate, left, lasted, started]
  const node = element('dl', { class: 'facts' }, ...all.map(({ node }) => node))

  /** @param {Job} job */
  function show(job) {
    const handled = job.processed_items + job.failed_items
    processed.show(formatNumber(job.processed_items))
    failed.show(formatNumber(job.failed_items), job.failed_items > 0 ? 'bad' : '')
    warned.show(formatNumber(job.warned_items), job.warned_items > 0 ? 'warn' : '')
    success.show(handled === 0 ? NOTHING : formatPercentage(job.success_rate, 1))
    rate.show(describeRate(job, handled))
    describeEnd(job)
    duration.show(job)
    showTime(started, job.started_at)
  }

  /** Shows the time left while the job runs, and the end time after it. @param {Job} job */
  function describeEnd(job) {
    if (isFinished(job)) {
      left.rename('Ended')
      return showTime(left, job.completed_at)
    }
    const seconds = job.eta_seconds ?? null
    if (seconds === null) return left.show(NOTHING)
    const end = seconds < 600 ? '' : `, done at ${formatTime(new Date(Date.now() + seconds * 1_000))}`
    left.show(`${formatEstimate(seconds)}${end}`)
  }

  return { node, show, tick: duration.tick }
}

/** The recent rate while the job runs, and the overall average once it has ended. @param {Job} job @param {number} handled */
function describeRate(job, handled) {
  if (!isFinished(job)) return job.rate_per_second ? formatRate(job.rate_per_second) : NOTHING
  // An average over less than a second means nothing.
  if (job.duration_seconds === null || job.duration_seconds < 1 || handled === 0) return NOTHING
  return formatRate(handled / job.duration_seconds)
}

/** @param {ReturnType<typeof fact>} target @param {string | null} time */
function showTime(target, time) {
  target.show(time === null ? NOTHING : formatTimeWithSeconds(new Date(time)))
  setAttribute(target.value, 'title', time === null ? null : formatWholeTime(new Date(time)))
}

/** @param {string} name @param {Node} [content] a node that shows the value itself */
function fact(name, content) {
  const label = element('dt', {}, name)
  const value = element('dd', {}, content ?? '')
  return {
    node: element('div', { class: 'fact' }, label, value),
    value,
    /** @param {string} text */
    rename: (text) => setText(label, text),
    /** @param {string} text @param {'bad' | 'warn' | ''} [tone] */
    show(text, tone = '') {
      setText(value, text)
      setAttribute(value, 'data-tone', tone || null)
    },
  }
}
