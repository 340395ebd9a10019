import { readdirSync, readFileSync } from 'node:fs'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import page from '../../docs/operating.md?raw'
import { type Refusal, refuse } from '../../src/http/reply/refuse.ts'

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(`src/${name}`, 'utf8'))

const log = page.slice(page.indexOf('## The log'), page.indexOf('## Upgrading'))

test('docs/operating.md lists every event that is logged, and no other', () => {
  const listed = [...log.slice(log.indexOf('|---|')).matchAll(/^\| `(\w+)` \|/gm)].map(([, event]) => event)
  // The first argument of a call, or the field of a line. A conditional argument names two events.
  const logged = sources
    .flatMap((source) => [...source.matchAll(/\blog[A-Z]\w*\(([^,()]*)|\bevent: ('\w+')/g)])
    .flatMap(([, argument, field]) => [...(argument ?? field ?? '').matchAll(/'(\w+)'/g)])
    .map(([, event]) => event)
  expect(listed.toSorted()).toEqual([...new Set(logged)].toSorted())
})

test('docs/operating.md lists every reason of a refusal under its status, and no other', async () => {
  const listed = [...log.matchAll(/^\| (\d{3}) \| (.*) \|$/gm)].flatMap(([, status, reasons = '']) =>
    [...reasons.replace(/\([^)]*\)/g, '').matchAll(/`(\w+)`/g)].map(([, reason]) => `${reason} ${status}`),
  )
  // The switch over reasons is exhaustive, so its cases are all of them.
  const cases = readFileSync('src/http/reply/refuse.ts', 'utf8').matchAll(/^ {4}case '(\w+)':/gm)
  const given = await Promise.all(
    [...cases].map(async ([, reason]) => {
      const refusal = { ok: false, reason, methods: [], problems: [], limits: {} } as unknown as Refusal
      const app = new Hono().post('/', (c) => refuse(c, refusal))
      return `${reason} ${(await app.request('/', { method: 'POST', body: '{}' })).status}`
    }),
  )
  expect(listed.toSorted()).toEqual(given.toSorted())
})
