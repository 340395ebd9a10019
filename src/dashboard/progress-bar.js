import { element, setAttribute } from './dom.js'
import { formatCount, formatNumber, formatPercentage } from './format.js'
import { isFinished } from './status.js'

/** @import { Job } from './wire.js' */

/** The progress of a job: the share of processed items, then of failed ones. */
export function createProgressBar() {
  const done = element('span', { class: 'bar-done' })
  const failed = element('span', { class: 'bar-failed' })
  const node = element(
    'div',
    { class: 'bar', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100 },
    done,
    failed,
  )
  return {
    node,
    /** @param {Job} job */
    show(job) {
      const handled = job.processed_items + job.failed_items
      // A worker may report more items than it announced: scale the bar to the percentage, which is clamped.
      const failedShare = handled === 0 ? 0 : (job.failed_items / handled) * job.progress_percentage
      done.style.width = `${job.progress_percentage - failedShare}%`
      failed.style.width = `${failedShare}%`
      setAttribute(node, 'data-status', job.status)
      setAttribute(node, 'data-finished', isFinished(job))
      setAttribute(node, 'aria-label', `Progress of ${job.job_type}`)
      setAttribute(node, 'aria-valuenow', Math.floor(job.progress_percentage))
      setAttribute(node, 'aria-valuetext', describe(job))
    },
  }
}

/** @param {Job} job */
function describe(job) {
  const share = formatPercentage(job.progress_percentage)
  const items = job.total_items === 0 ? '' : `, ${formatItems(job)} items`
  return `${share}${items}${job.failed_items === 0 ? '' : `, ${formatNumber(job.failed_items)} failed`}`
}

/** Handled items of the total: `1,240 of 2,000`. @param {Job} job */
export function formatItems(job) {
  const handled = job.processed_items + job.failed_items
  if (job.total_items === 0) return formatNumber(handled)
  return `${formatNumber(handled)} of ${formatNumber(job.total_items)}`
}

/** Counts errors and warnings; '' if there are none. @param {Job} job */
export function formatTroubles(job) {
  return [
    job.error_count > 0 ? formatCount(job.error_count, 'error') : '',
    job.warning_count > 0 ? formatCount(job.warning_count, 'warning') : '',
  ]
    .filter((text) => text !== '')
    .join(', ')
}
