import { expect, test } from 'vitest'
import api from '../../docs/api.md?raw'
import { endpoints } from '../../src/endpoints/all.ts'
import { NewJobRequest } from '../../src/endpoints/create-job.ts'
import { JobProgressRequest } from '../../src/endpoints/report-progress.ts'
import { refusalsOf } from '../../src/http/endpoint.ts'

/** The names in the first column of the table in a section of docs/api.md. */
function namesIn(section: string): string[] {
  const [, text = ''] = api.split(`\n## ${section}\n`)
  const [upToNext = ''] = text.split('\n## ', 1)
  const cells = [...upToNext.matchAll(/^\| ([^|]+) \|/gm)].slice(1).map(([, cell = '']) => cell)
  return cells.flatMap((cell) => cell.split(', ')).map((name) => name.replaceAll('`', ''))
}

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

test.each([
  ['Creating a job', NewJobRequest],
  ['Reporting', JobProgressRequest],
])('docs/api.md lists every field of the body under "%s"', (section, schema) => {
  expect(namesIn(section).toSorted()).toEqual(Object.keys(schema.shape).toSorted())
})

test('docs/api.md lists every status of a refusal', () => {
  // The router, and not an endpoint, refuses a method.
  const refusals = new Set([405, ...endpoints.flatMap((endpoint) => refusalsOf(endpoint))])
  expect(namesIn('Errors').map(Number)).toEqual([...refusals].toSorted((a, b) => a - b))
})
