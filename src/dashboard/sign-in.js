import { call } from './api.js'
import { element, setAttribute, setText } from './dom.js'
import { explainFailure } from './notice.js'
import { keepCredentials, toHeaders } from './session.js'

/** @import { Failure, Outcome } from './wire.js' */

/**
 * Asks for a key, and tries it before it is kept. Whoever belongs to several organizations is asked for one of them.
 *
 * @param {object} options
 * @param {string} options.reason why it is asked for; '' where nothing went before
 * @param {boolean} options.hasSession a cookie does in place of a key: only the organization is missing
 * @param {() => void} options.onSignedIn
 */
export function createSignIn({ reason, hasSession, onSignedIn }) {
  // Without names, the fields are in no address, even if the form were sent by the browser itself.
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

/** Headers hold only such characters; what else was pasted is no key. @param {string} text */
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
      return 'This key belongs to several organizations. Which of them?'
    case 'missing':
      return 'That is none of the organizations that this key belongs to.'
    case 'busy':
      return 'Too many requests. Wait a moment and try again.'
    case 'unavailable':
    case 'offline':
      return 'The key could not be checked: the service cannot be reached. Try again.'
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
    /** A field that is not asked for is not required either. @param {boolean} isAsked */
    ask(isAsked) {
      setAttribute(node, 'hidden', !isAsked)
      setAttribute(input, 'disabled', !isAsked)
    },
  }
}
