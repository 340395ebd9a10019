import { expect, test } from 'vitest'
import { type Candidate, chooseDatabase } from '../../src/store/choose-database.ts'

const GB = 1024 ** 3
const DB: Candidate = { name: 'DB', bytes: 9 * GB, organizations: 2 }
const DB_2: Candidate = { name: 'DB_2', bytes: 3 * GB, organizations: 40 }
const DB_3: Candidate = { name: 'DB_3', bytes: 3 * GB + 5_000, organizations: 39 }

test('a new organization goes where the most space is free, and of equals where the fewest organizations are', () => {
  expect(chooseDatabase([DB, DB_2], undefined)).toBe('DB_2')
  expect(chooseDatabase([DB, DB_2, DB_3], undefined)).toBe('DB_3')
  expect(chooseDatabase([DB_2, { ...DB_3, organizations: 40 }], undefined)).toBe('DB_2')
})

test('a database whose size is not known counts as empty', () => {
  expect(chooseDatabase([DB, DB_2, { ...DB, name: 'DB_4', bytes: null }], undefined)).toBe('DB_4')
})

test('the setting decides, unless it names a database that is not there', () => {
  expect(chooseDatabase([DB, DB_2], 'DB')).toBe('DB')
  expect(chooseDatabase([DB, DB_2], 'DB_7')).toBe('DB_2')
  expect(chooseDatabase([DB, DB_2], '')).toBe('DB_2')
})

test('organizations that are placed before they have any jobs spread evenly', () => {
  const candidates = [DB, DB_2, DB_3].map((each) => ({ ...each, bytes: 0, organizations: 0 }))
  for (let n = 0; n < 9; n++) {
    const chosen = candidates.find(({ name }) => name === chooseDatabase(candidates, undefined))
    if (chosen !== undefined) chosen.organizations += 1
  }
  expect(candidates.map(({ organizations }) => organizations)).toEqual([3, 3, 3])
})
