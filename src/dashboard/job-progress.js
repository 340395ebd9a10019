import { element, setText } from './dom.js'
import { formatPercentage } from './format.js'
import { createProgressBar, formatItems } from './progress-bar.js'

/** @import { Job } from './wire.js' */

/** The progress of a job in large type. */
export function createJobProgress() {
  const share = element('p', { class: 'big-share' })
  const items = element('p', { class: 'big-items' })
  const bar = createProgressBar()
  const road = element('div', { class: 'road' }, bar.node)
  const node = element('div', { class: 'progress-block' }, share, items, road)

  /** @param {Job} job */
  function show(job) {
    setText(share, formatPercentage(job.progress_percentage, 1))
    setText(items, `${formatItems(job)} ${job.total_items === 1 ? 'item' : 'items'}`)
    bar.show(job)
  }

  return { node, show }
}
