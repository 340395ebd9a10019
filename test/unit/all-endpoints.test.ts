import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { endpoints } from '../../src/endpoints/all.ts'

const FOLDER = 'src/endpoints'
const files = readdirSync(FOLDER).filter((name) => name !== 'all.ts')

/** The endpoints that a file exports. That of openapi.ts describes the list, so the file exports a function. */
async function idsIn(file: string): Promise<string[]> {
  if (file === 'openapi.ts') return ['openapi']
  const values = Object.values((await import(`../../${FOLDER}/${file}`)) as Record<string, unknown>)
  return values.flatMap((value) =>
    typeof value === 'object' && value !== null && 'handle' in value && 'id' in value
      ? [String(value.id)]
      : [],
  )
}

test.each(files)('The endpoints of %s are in all.ts', async (file) => {
  const ids = await idsIn(file)
  expect(ids).not.toEqual([])
  expect(endpoints.map(({ id }) => id)).toEqual(expect.arrayContaining(ids))
})
