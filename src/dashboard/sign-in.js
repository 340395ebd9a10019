import { call } from './api.js'
import { element, setAttribute, setText } from './dom.js'
import { explainFailure } from './notice.js'
import { keepCredentials, toHeaders } from './session.js'

/** @import { Failure, Outcome } from './wire.js' */

/**
 * Asks for a key and tests it before keeping it. Asks for the organization if the key or session has several.
 *
 * @param {object} options
 * @param {string} options.reason why the user has to sign in; '' on the first visit
 * @param {boolean} options.hasSession a cookie replaces the key; only the organization is missing
 * @param {() => void} options.onSignedIn
 */
export function createSignIn({ reason, hasSession, onSignedIn }) {
  // The fields have no names: if the browser submitted the form itself, the key would not end up in the address.
  const key = field('key', 'API key', { type: 'password', required: true })
  const organization = field('organization', 'Organization ID', { type: 'text', required: true })
  const problem = element('p', { id: 'problem', class: 'problem', role: 'alert' }, reason)
  const button = element('button', { type: 'submit', class: 'button-primary' }, 'Sign in')
  const node = element(
    'section',
    { class: 'sign-in', 'aria-labelledby': 'sign-in-title' },
    element('h1', { id: 'sign-in-title', tabindex: -1 }, 'Sign in'),
    element('p', { class: 'quiet' }, 'Watch your organization’s jobs as they run.'),
    element('form', { submit }, key.node, organization.node, problem, button),
    element(
      'p',
      { id: 'hint', class: 'hint' },
      'A key that begins with ',
      element('code', {}, 'mp_'),
      ' and may read jobs. It stays in this tab and is forgotten when you close it.',
    ),
  )
  key.ask(!hasSession)
  organization.ask(hasSession)

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault()
    const [secret, chosen] = [key.read(), organization.read()]
    setAttribute(button, 'disabled', true)
    setText(button, 'Signing in…')
    setText(problem, '')
    /** @type {Outcome<unknown>} */
    const outcome = isSendable(secret + chosen)
      ? await call('/api/jobs/?limit=1&metadata=false', { headers: toHeaders(secret, chosen) })
      : UNKNOWN_KEY
    setAttribute(button, 'disabled', false)
    setText(button, 'Sign in')
    if (outcome.ok) {
      keepCredentials(secret, chosen)
      return onSignedIn()
    }
    setText(problem, explain(outcome))
    const isKnown = outcome.reason === 'which-organization' || outcome.reason === 'missing'
    const atFault = isKnown ? organization : key
    atFault.ask(true)
    atFault.input.focus()
  }

  return { node, focus: () => (hasSession ? organization : key).input.focus() }
}

/** @type {Outcome<never>} */
const UNKNOWN_KEY = { ok: false, reason: 'signed-out', detail: '', retryAfter: null }

/** Whether a header can hold the text. Anything else is not a key. @param {string} text */
function isSendable(text) {
  return /^[!-~]+$/.test(text)
}

/** @param {Failure} failure */
function explain(failure) {
  switch (failure.reason) {
    case 'signed-out':
      return 'No such key. It may be mistyped, expired or revoked.'
    case 'forbidden':
      return `This key is valid, but it may not read jobs. ${failure.detail}.`
    case 'which-organization':
      return 'This key belongs to several organizations. Which one?'
    case 'missing':
      return 'This key does not belong to that organization.'
    case 'busy':
      return 'Too many requests. Wait a moment and try again.'
    case 'unavailable':
    case 'offline':
      return 'The service cannot be reached, and the key was not checked. Try again.'
    default:
      return explainFailure(failure)
  }
}

/** @param {string} id @param {string} name @param {{ type: string, required: boolean }} attributes */
function field(id, name, attributes) {
  const input = element('input', {
    ...attributes,
    id,
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
    'aria-describedby': 'problem hint',
  })
  const node = element('div', { class: 'sign-in-field' }, element('label', { for: id }, name), input)
  return {
    node,
    input,
    read: () => input.value.trim(),
    /** Shows or hides the field. A hidden field is disabled and thus not required. @param {boolean} isAsked */
    ask(isAsked) {
      setAttribute(node, 'hidden', !isAsked)
      setAttribute(input, 'disabled', !isAsked)
    },
  }
}
