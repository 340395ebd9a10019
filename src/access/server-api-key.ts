import { sha256 } from './sha256.ts'

/** `mp_` and 256 bits in base64url. */
const SERVER_API_KEY = /^mp_[A-Za-z0-9_-]{43}$/

/** A new server API key: 256 random bits, so that one can neither be guessed nor be found from its hash. */
export function newServerApiKey(): string {
  const bits = crypto.getRandomValues(new Uint8Array(32))
  return `mp_${btoa(String.fromCharCode(...bits))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')}`
}

/** Whether a string could be a server API key. What could not is refused without asking anyone. */
export function isServerApiKey(text: string): boolean {
  return SERVER_API_KEY.test(text)
}

/**
 * SHA-256 of the key, 64 hexadecimal digits: all that is ever stored or remembered of it. Fast on purpose: with 256 random
 * bits behind it there is nothing for a slow hash to defend.
 */
export async function hashServerApiKey(key: string): Promise<string> {
  return await sha256(key)
}
