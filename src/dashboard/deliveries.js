import { call } from './api.js'
import { arrange, element, setAttribute, setText } from './dom.js'
import { formatTime, formatTimeWithSeconds, formatWholeTime } from './format.js'
import { poll } from './poll.js'
import { isFinished } from './status.js'

/** @import { Delivery, Job, Outcome } from './wire.js' */

/** Seconds between two polls while another attempt is due. */
const POLL_SECONDS = 5

/**
 * The deliveries of a finished job to its callback URL. Without a callback URL, it makes no calls.
 *
 * @param {string} jobId
 * @param {(outcome: Outcome<unknown>) => void} report receives the outcome of each call
 */
export function createDeliveries(jobId, report) {
  const target = element('p', { class: 'quiet delivery-target' })
  const list = element('ol', { class: 'deliveries' })
  const next = element('p', { class: 'hint' })
  const node = element(
    'section',
    { 'aria-labelledby': 'deliveries-title', hidden: true },
    element('h2', { id: 'deliveries-title' }, 'Webhook'),
    target,
    list,
    next,
  )
  /** @type {ReturnType<typeof poll> | undefined} */
  let polling

  /** @param {Job} job */
  function show(job) {
    if (!isFinished(job) || !job.callback_url || polling !== undefined) return
    setText(target, job.callback_url)
    setAttribute(node, 'hidden', false)
    const asking = poll(async (signal) => {
      /** @type {Outcome<{ next_attempt_at: string | null, deliveries: Delivery[] }>} */
      const outcome = await call(`/api/jobs/${encodeURIComponent(jobId)}/deliveries`, { signal })
      report(outcome)
      if (!outcome.ok) return outcome
      const { next_attempt_at, deliveries } = outcome.body
      arrange(list, deliveries.map(createAttempt))
      setText(next, describeNext(next_attempt_at, deliveries))
      if (next_attempt_at === null) asking.stop()
      return outcome
    }, POLL_SECONDS)
    polling = asking
  }

  return { node, show, stop: () => polling?.stop() }
}

/** @param {Delivery} delivery */
function createAttempt({ attempted_at, status, error }) {
  const time = new Date(attempted_at)
  const arrived = status !== null && status >= 200 && status < 300
  const said = arrived ? `Accepted (${status})` : `Refused (${status})`
  return element(
    'li',
    { class: 'delivery' },
    element(
      'span',
      { 'data-tone': arrived ? 'good' : 'bad' },
      status === null ? (error ?? 'No answer') : said,
    ),
    element('time', { datetime: attempted_at, title: formatWholeTime(time) }, formatTimeWithSeconds(time)),
  )
}

/** @param {string | null} next @param {Delivery[]} deliveries */
function describeNext(next, deliveries) {
  if (next === null) return ''
  return deliveries.length === 0 ? 'On its way.' : `Next attempt at ${formatTime(new Date(next))}.`
}
