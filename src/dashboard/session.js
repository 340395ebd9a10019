/** Names in session storage, which belongs to this tab and is cleared when the tab closes. */
const KEY = 'milepost.key'
const ORGANIZATION = 'milepost.organization'

/** This tab's key; null if it uses a cookie or nobody is signed in. */
export function readKey() {
  return sessionStorage.getItem(KEY)
}

/**
 * The headers that authenticate this tab; none if the cookie, which the browser sends by itself, is enough.
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
