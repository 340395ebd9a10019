import { expect, test } from 'vitest'
import api from '../../docs/api.md?raw'
import { endpoints } from '../../src/endpoints/all.ts'
import { refusalsOf } from '../../src/http/endpoint.ts'

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

test('docs/api.md lists every status of a refusal, and no other', () => {
  const listed = [...api.matchAll(/^\| (\d{3}) \|/gm)].map(([, status]) => Number(status))
  // The app, and not an endpoint, refuses a method.
  const given = new Set([405, ...endpoints.flatMap((endpoint) => refusalsOf(endpoint))])
  expect(listed).toEqual([...given].toSorted((a, b) => a - b))
})
