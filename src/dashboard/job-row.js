import { element, setAttribute, setText } from './dom.js'
import { formatPercentage, formatTime, formatWholeTime, NOTHING } from './format.js'
import { createProgressBar, formatItems, formatTroubles } from './progress-bar.js'
import { addressOfJob } from './route.js'
import { createRunningTime } from './running-time.js'
import { createStatusBadge, isFinished } from './status.js'

/** @import { Job } from './wire.js' */

/** A job in the list. `show` touches only what changed. @param {string} jobId */
export function createJobRow(jobId) {
  const link = element('a', { href: addressOfJob(jobId), class: 'job-link' })
  const about = element('span', { class: 'quiet clip' })
  const badge = createStatusBadge()
  const stalled = element('span', { class: 'stalled' })
  const bar = createProgressBar()
  const share = element('span', { class: 'share' })
  const items = element('span')
  const troubles = element('span', { class: 'quiet troubles' })
  const started = element('time')
  const duration = createRunningTime()
  const cell = (/** @type {string} */ name, /** @type {Node[]} */ ...children) =>
    element('td', { role: 'cell', class: `cell-${name}` }, ...children)
  const node = element(
    'tr',
    { role: 'row' },
    element('th', { role: 'rowheader', scope: 'row', class: 'cell-job' }, link, about),
    cell('status', badge.node, stalled),
    cell('progress', bar.node, share),
    cell('items', items, troubles),
    cell('started', started),
    cell('duration', duration.node),
  )

  /** @param {Job} job */
  function show(job) {
    setText(link, job.job_type)
    setText(about, describe(job))
    badge.show(job.status)
    setText(stalled, job.stalled_at !== null && !isFinished(job) ? 'Stalled' : '')
    bar.show(job)
    setText(share, formatPercentage(job.progress_percentage))
    setText(items, formatItems(job))
    setText(troubles, formatTroubles(job))
    setAttribute(troubles, 'data-errors', job.error_count > 0)
    showTime(started, job.started_at)
    duration.show(job)
  }

  return { node, link, show, tick: duration.tick }
}

/** Tells a job from others of its type: its stage while it runs, and who triggered it. @param {Job} job */
function describe(job) {
  const stage = isFinished(job) ? undefined : job.stages?.at(-1)?.stage
  return [stage ?? '', job.triggered_by ?? ''].filter((text) => text !== '').join(' · ')
}

/** @param {HTMLTimeElement} node @param {string | null} time */
function showTime(node, time) {
  setText(node, time === null ? NOTHING : formatTime(new Date(time)))
  setAttribute(node, 'datetime', time)
  setAttribute(node, 'title', time === null ? null : formatWholeTime(new Date(time)))
}
