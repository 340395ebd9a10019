/** Session storage: what is kept in it belongs to this tab alone, and is forgotten when it is closed. */
const KEY = 'milepost.key'
const ORGANIZATION = 'milepost.organization'

/** The key of this tab; null where a cookie has to do. */
export function readKey() {
  return sessionStorage.getItem(KEY)
}

/**
 * What a request has to carry to be this tab's: nothing where the cookie, which the browser sends by itself, is enough.
 *
 * @returns {Record<string, string>}
 */
export function readCredentials() {
  return toHeaders(readKey() ?? '', sessionStorage.getItem(ORGANIZATION) ?? '')
}

/** @param {string} key @param {string} organization each may be '' @returns {Record<string, string>} */
export function toHeaders(key, organization) {
  return {
    ...(key === '' ? {} : { Authorization: `Bearer ${key}` }),
    ...(organization === '' ? {} : { 'X-Organization-ID': organization }),
  }
}

/** @param {string} key @param {string} organization each may be '' */
export function keepCredentials(key, organization) {
  if (key !== '') sessionStorage.setItem(KEY, key)
  if (organization !== '') sessionStorage.setItem(ORGANIZATION, organization)
}

export function forgetCredentials() {
  sessionStorage.removeItem(KEY)
  sessionStorage.removeItem(ORGANIZATION)
}
