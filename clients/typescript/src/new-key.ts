/** A key for `Idempotency-Key`, of 128 random bits. Not `crypto.randomUUID`: a page that came by plain HTTP does not have it. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
