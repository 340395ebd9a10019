import { expect, test } from 'vitest'
import api from '../../docs/api.md?raw'
import { endpoints } from '../../src/endpoints/all.ts'

test('docs/api.md lists every endpoint with its permission, and no other endpoint', () => {
  const rows = [...api.matchAll(/^\| `([A-Z]+ \/[^`]*)` \| (?:`([^`]+)`|none) \|/gm)]
  const listed = rows.map(([, name = '', permission]) => ({ name, permission: permission ?? null }))
  const served = endpoints.map(({ method, path, permission }) => ({
    name: `${method.toUpperCase()} ${path}`,
    permission,
  }))
  const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name)
  expect(listed.toSorted(byName)).toEqual(served.toSorted(byName))
})
