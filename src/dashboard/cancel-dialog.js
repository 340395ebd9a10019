import { call } from './api.js'
import { element, setAttribute, setText } from './dom.js'
import { explainFailure } from './notice.js'

/** @import { Job, Outcome } from './wire.js' */

/**
 * Asks for confirmation before it cancels the job.
 *
 * @param {string} jobId
 * @param {object} options
 * @param {(job: Job) => void} options.onCanceled
 * @param {() => void} options.onFinished called if the job had already finished
 */
export function createCancelDialog(jobId, { onCanceled, onFinished }) {
  const reason = element('input', { id: 'reason', type: 'text', autocomplete: 'off', maxlength: 500 })
  const problem = element('p', { class: 'problem', role: 'alert' })
  const confirm = element('button', { type: 'submit', class: 'button-danger-solid' }, 'Cancel the job')
  const keep = element(
    'button',
    { type: 'button', class: 'button', autofocus: true, click: close },
    'Keep it running',
  )
  const node = element(
    'dialog',
    { 'aria-labelledby': 'cancel-title', 'aria-describedby': 'cancel-text' },
    element(
      'form',
      { submit },
      element('h2', { id: 'cancel-title' }, 'Cancel this job?'),
      element(
        'p',
        { id: 'cancel-text' },
        'The worker stops at its next report. Work done by then is kept. You cannot undo this.',
      ),
      element('label', { for: 'reason' }, 'Reason ', element('span', { class: 'quiet' }, '(optional)')),
      reason,
      problem,
      element('div', { class: 'buttons' }, keep, confirm),
    ),
  )

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault()
    setAttribute(confirm, 'disabled', true)
    const text = reason.value.trim()
    /** @type {Outcome<Job>} */
    const outcome = await call(`/api/jobs/${encodeURIComponent(jobId)}/cancel`, {
      method: 'POST',
      body: text === '' ? {} : { reason: text },
    })
    setAttribute(confirm, 'disabled', false)
    if (outcome.ok) {
      close()
      return onCanceled(outcome.body)
    }
    if (outcome.reason === 'finished') onFinished()
    setText(problem, explain(outcome))
  }

  function close() {
    if (node.open) node.close()
  }

  return {
    node,
    open() {
      setText(problem, '')
      node.showModal()
    },
    close,
  }
}

/** @param {import('./wire.js').Failure} failure */
function explain(failure) {
  if (failure.reason === 'forbidden') return `You may not cancel jobs. ${failure.detail}.`
  if (failure.reason === 'busy') return 'Too many requests. Wait a moment and try again.'
  if (failure.reason === 'unavailable' || failure.reason === 'offline')
    return 'The service cannot be reached, and the job was not canceled. Try again.'
  return explainFailure(failure)
}
