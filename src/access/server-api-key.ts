import { sha256 } from './sha256.ts'

/** `mp_` and 256 bits in base64url. */
const SERVER_API_KEY = /^mp_[A-Za-z0-9_-]{43}$/

/** A new server API key: 256 random bits, which cannot be guessed or derived from their hash. */
export function newServerApiKey(): string {
  const bits = crypto.getRandomValues(new Uint8Array(32))
  return `mp_${btoa(String.fromCharCode(...bits))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')}`
}

/** Whether a string could be a server API key. If not, it is refused without a look-up. */
export function isServerApiKey(text: string): boolean {
  return SERVER_API_KEY.test(text)
}

/** Whether a string was meant to be a server API key. It is then shown to nobody else: it may be a real one with a typo. */
export function resemblesServerApiKey(text: string): boolean {
  return text.startsWith('mp_')
}

/**
 * SHA-256 of the key, as 64 hexadecimal digits: the only part that is ever stored or remembered. A fast hash is enough,
 * since 256 random bits cannot be brute-forced.
 */
export async function hashServerApiKey(key: string): Promise<string> {
  return await sha256(key)
}
