import { element, setText } from './dom.js'
import { formatDuration, NOTHING } from './format.js'
import { isFinished } from './status.js'

/** @import { Job } from './wire.js' */

/** How long a job has been running. Between two updates, `tick` counts on with the local monotonic clock. */
export function createRunningTime() {
  const node = element('span', { class: 'running-time' })
  /** @type {number | null} */
  let seconds = null
  /** The time of the last update on that clock; null once the job has finished. @type {number | null} */
  let asOf = null

  /** @param {Job} job */
  function show(job) {
    seconds = job.duration_seconds
    asOf = isFinished(job) ? null : performance.now()
    tick()
  }

  function tick() {
    if (seconds === null) return setText(node, NOTHING)
    const since = asOf === null ? 0 : (performance.now() - asOf) / 1_000
    setText(node, formatDuration(seconds + since))
  }

  return { node, show, tick }
}
