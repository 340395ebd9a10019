import { expect, test } from 'vitest'
import { hashServerApiKey, isServerApiKey, newServerApiKey } from '../../src/access/server-api-key.ts'

test('a new key has 256 bits, and no two are the same', () => {
  const keys = Array.from({ length: 1_000 }, newServerApiKey)
  expect(new Set(keys).size).toBe(1_000)
  for (const key of keys) {
    expect(isServerApiKey(key)).toBe(true)
    expect(Buffer.from(key.slice(3), 'base64url')).toHaveLength(32)
  }
})

test('the hash is the SHA-256 of the whole key', async () => {
  expect(await hashServerApiKey('abc')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
})

test.each([
  '',
  'mp_',
  `mp_${'a'.repeat(42)}`,
  `mp_${'a'.repeat(44)}`,
  `xx_${'a'.repeat(43)}`,
  `mp_${'ä'.repeat(43)}`,
  `mp_${'a'.repeat(43)}\n`,
])('%j cannot be a key', (text) => expect(isServerApiKey(text)).toBe(false))
