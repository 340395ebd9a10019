import { readCredentials } from './session.js'

/** @import { Failure, FailureReason, Outcome } from './wire.js' */

/** @type {Record<number, FailureReason>} */
const REASONS = {
  400: 'which-organization',
  401: 'signed-out',
  403: 'forbidden',
  404: 'missing',
  409: 'finished',
  429: 'busy',
}

/**
 * Calls the API with this tab's key, or with the cookie that the browser sends by itself.
 *
 * @template Body
 * @param {string} path
 * @param {object} [options]
 * @param {string} [options.method]
 * @param {unknown} [options.body]
 * @param {AbortSignal} [options.signal]
 * @param {Record<string, string>} [options.headers]
 * @returns {Promise<Outcome<Body>>} rejects only if the signal is aborted
 */
export async function call(path, { method = 'GET', body, signal, headers } = {}) {
  const answer = await open(path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
    headers: {
      Accept: 'application/json',
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
  })
  if (!answer.ok) return answer
  try {
    return { ok: true, body: await answer.body.json() }
  } catch {
    signal?.throwIfAborted()
    return failure('offline', 'The reply was cut off', null)
  }
}

/**
 * Like `call`, but returns the response unread, for callers that stream it.
 *
 * @param {string} path
 * @param {RequestInit & { headers: Record<string, string> }} init
 * @returns {Promise<Outcome<Response>>}
 */
export async function open(path, init) {
  const headers = { ...readCredentials(), ...init.headers }
  try {
    const response = await fetch(path, { ...init, headers, cache: 'no-store' })
    return response.ok ? { ok: true, body: response } : await explain(response)
  } catch {
    init.signal?.throwIfAborted()
    return failure('offline', 'The server cannot be reached', null)
  }
}

/** @param {Response} response @returns {Promise<Failure>} */
async function explain(response) {
  const reason = REASONS[response.status] ?? (response.status >= 500 ? 'unavailable' : 'refused')
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN)
  return failure(reason, await readDetail(response), Number.isFinite(seconds) ? seconds : null)
}

/** @param {Response} response */
async function readDetail(response) {
  try {
    const { detail } = await response.json()
    if (typeof detail === 'string') return detail
    // A validation error: one sentence per problem.
    if (Array.isArray(detail)) return detail.map(({ loc, msg }) => `${loc?.at(-1)}: ${msg}`).join('; ')
  } catch {
    // Not JSON: a proxy answered, not the API. Only the status is known.
  }
  return `The server answered ${response.status}`
}

/** @param {FailureReason} reason @param {string} detail @param {number | null} retryAfter @returns {Failure} */
function failure(reason, detail, retryAfter) {
  return { ok: false, reason, detail, retryAfter }
}
