import { expect, test } from 'vitest'
import { app } from '../../src/app.ts'
import '../../src/index.ts'
import { rows } from '../edge/route-rows.ts'

test('every route that the Worker serves has its row in the security suites, and they have no other', () => {
  const handlers = app.routes.filter(({ method }) => method !== 'ALL')
  const served = handlers.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
  const named = Object.keys(rows).map((name) => name.replace(/(?<=\w)\/$/, ''))
  expect(named.toSorted()).toEqual([...new Set(served)].toSorted())
  // Middleware alone is there for all methods; a route that took them all would be in nobody's list.
  const forAll = app.routes.filter(({ method }) => method === 'ALL').map(({ path }) => path)
  expect(new Set(forAll)).toEqual(new Set(['/*']))
})
