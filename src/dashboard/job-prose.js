import { element, setAttribute, setText } from './dom.js'
import { formatDuration } from './format.js'
import { isFinished } from './status.js'

/** @import { Job } from './wire.js' */

/** The messages of a job: the latest one, the reason for a failure or cancellation, a stall. */
export function createJobProse() {
  const stage = element('strong')
  const message = element('span', { class: 'quiet' })
  const now = element('p', { class: 'last-message' }, stage, ' ', message)
  const failure = element('p', { class: 'callout', 'data-tone': 'bad' })
  const reason = element('p', { class: 'callout', 'data-tone': 'idle' })
  const stall = element('p', { class: 'callout', 'data-tone': 'warn' })
  const node = element('div', { class: 'prose' }, failure, reason, stall, now)

  /** @param {Job} job */
  function show(job) {
    const { stage: current, last_message: last } = job.metadata ?? {}
    // After the end, the timeline shows the stages.
    put(stage, typeof current === 'string' && !isFinished(job) ? current : '')
    put(message, typeof last === 'string' ? last : '')
    setAttribute(now, 'hidden', stage.hidden && message.hidden)
    put(failure, job.status === 'failed' ? job.error_message || 'The worker gave no reason.' : '')
    put(reason, job.status === 'cancelled' && job.error_message ? `Cancelled: ${job.error_message}` : '')
    put(stall, job.stalled_at !== null && !isFinished(job) ? describeStall(job) : '')
  }

  return { node, show }
}

/** @param {Job} job */
function describeStall(job) {
  const silence =
    job.stall_after_seconds === null
      ? 'some time'
      : formatDuration(job.stall_after_seconds).replace(/ 00 (s|min)$/, '')
  return `Stalled: the worker has not reported for more than ${silence}. Its next report clears this.`
}

/** @param {HTMLElement} node @param {string} text */
function put(node, text) {
  setText(node, text)
  setAttribute(node, 'hidden', text === '')
}
