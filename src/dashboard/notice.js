import { element, setAttribute, setText } from './dom.js'

/** @import { Failure, Outcome } from './wire.js' */

/** @type {Record<import('./wire.js').FailureReason, (failure: Failure) => string>} */
const WORDS = {
  'signed-out': () => 'Your key is no longer valid.',
  'which-organization': ({ detail }) => sentence(detail),
  forbidden: ({ detail }) => `You may not see this. ${sentence(detail)}`,
  missing: () => 'There is no such job in your organization.',
  finished: ({ detail }) => sentence(detail),
  refused: ({ detail }) => sentence(detail),
  busy: () => 'Too many requests. What you see may be out of date; updates resume in a moment.',
  unavailable: () => 'The service is not available right now. What you see may be out of date. Trying again…',
  offline: () =>
    navigator.onLine
      ? 'The service cannot be reached. What you see may be out of date. Trying again…'
      : 'You are offline. What you see may be out of date; updates resume when you are back online.',
}

/** Explains a failure to the user. @param {Failure} failure */
export function explainFailure(failure) {
  return WORDS[failure.reason](failure)
}

/** The line at the top that says why nothing updates. It disappears with the next success. */
export function createNotice() {
  const text = element('span')
  const node = element('div', { class: 'notice', role: 'status' }, text)
  /** @param {Outcome<unknown>} outcome */
  function report(outcome) {
    setAttribute(node, 'data-reason', outcome.ok ? null : outcome.reason)
    setText(text, outcome.ok ? '' : explainFailure(outcome))
  }
  return { node, report, clear: () => report({ ok: true, body: null }) }
}

/** @param {string} text */
function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
