import { expect, test } from 'vitest'
import { app } from '../../src/app.ts'
import { endpoints } from '../../src/endpoints/all.ts'
import '../../src/index.ts'

test('the Worker serves the endpoints, the page and the documents, and nothing else', () => {
  const served = app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
  const declared = endpoints.map(
    ({ method, path }) => `${method.toUpperCase()} ${path.replace(/(?<=\w)\/$/, '')}`,
  )
  const page = ['GET /', 'GET /dashboard/{file}']
  const documents = ['GET /docs/*', 'GET /llms.txt', 'GET /llms-full.txt']
  expect([...new Set(served)].toSorted()).toEqual([...declared, ...page, ...documents].toSorted())
})
