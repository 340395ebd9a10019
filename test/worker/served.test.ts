import { expect, test } from 'vitest'
import { app } from '../../src/app.ts'
import { endpoints } from '../../src/endpoints/all.ts'
import '../../src/index.ts'

test('the Worker serves the endpoints and the page, and nothing else', () => {
  const served = app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
  const declared = endpoints.map(
    ({ method, path }) => `${method.toUpperCase()} ${path.replace(/(?<=\w)\/$/, '')}`,
  )
  const page = ['GET /', 'GET /dashboard/{file}']
  expect([...new Set(served)].toSorted()).toEqual([...declared, ...page].toSorted())
})
