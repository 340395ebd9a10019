import { expect, test } from 'vitest'
import { checkRow, type FeedRow } from '../../examples/feed-worker/check-row.ts'
import { FILM_CATALOG, type Mapping } from '../../examples/feed-worker/mapping.ts'
import { readDate } from '../../examples/feed-worker/read-date.ts'

const TODAY = new Date('2026-01-01')
const GOOD = {
  Title: 'Slam',
  Release_Date: '9-Oct-98',
  US_Gross: 1009819,
  Distributor: 'Trimark',
  MPAA_Rating: 'R',
}

function check(value: unknown, { mapping = FILM_CATALOG, seen = new Map<string, number>() } = {}) {
  return checkRow({ number: 7, value }, mapping, TODAY, seen)
}

/** Returns the error type of a refused row, or the warning types of a usable one. */
function judge(value: unknown, mapping: Mapping = FILM_CATALOG): string | string[] {
  const outcome = check(value, { mapping })
  return outcome.kind === 'refused'
    ? outcome.error.errorType
    : outcome.warnings.map(({ errorType }) => errorType)
}

test('a good row becomes an item without warnings', () => {
  expect(check(GOOD)).toEqual({
    kind: 'usable',
    warnings: [],
    item: {
      key: 'slam',
      title: 'Slam',
      release_date: '1998-10-09',
      amount: 1009819,
      supplier: 'Trimark',
      age_rating: 'R',
    },
  })
})

test.for([
  ['missing_title', { ...GOOD, Title: null }],
  ['missing_title', { ...GOOD, Title: '  ' }],
  ['missing_title', {}],
  ['title_not_text', { ...GOOD, Title: 1941 }],
  ['title_not_text', { ...GOOD, Title: ['Slam'] }],
  ['title_too_long', { ...GOOD, Title: 'x'.repeat(301) }],
  ['missing_key', { ...GOOD, Title: '???' }],
  ['not_a_record', [1, 2]],
  ['not_a_record', null],
] as const)('%s: %j is refused', ([type, row]) => {
  expect(judge(row)).toBe(type)
})

test('an unreadable row is refused with its problem, under its row number', () => {
  const row: FeedRow = { number: 7, problem: 'The line is not JSON' }
  expect(checkRow(row, FILM_CATALOG, TODAY, new Map())).toMatchObject({
    kind: 'refused',
    error: {
      entityKey: 'row#7',
      entityType: 'row',
      errorType: 'unreadable_row',
      message: 'The line is not JSON',
      step: 'transforming',
      details: { row: 7 },
    },
  })
})

test('a row that repeats an earlier key is refused under its own entity key', () => {
  const outcome = check({ ...GOOD, Title: 'SLAM!' }, { seen: new Map([['slam', 3]]) })
  expect(outcome).toMatchObject({
    kind: 'refused',
    error: {
      entityKey: 'slam#7',
      errorType: 'duplicate_key',
      details: { row: 7, key: 'slam', first_row: 3 },
    },
  })
})

test.for([
  ['missing_release_date', { Release_Date: null }],
  ['unreadable_release_date', { Release_Date: 'TBD' }],
  ['release_date_far_ahead', { Release_Date: '24-Dec-54' }],
  ['missing_amount', { US_Gross: null }],
  ['unreadable_amount', { US_Gross: 'n/a' }],
  ['negative_amount', { US_Gross: -1 }],
  ['zero_amount', { US_Gross: 0 }],
  ['missing_supplier', { Distributor: '' }],
  ['unknown_age_rating', { MPAA_Rating: 'Open' }],
  ['garbled_title', { Title: 'Am\uFFFDlie' }],
] as const)('%s: a row with %j is usable, with a warning under its key', ([type, change]) => {
  const outcome = check({ ...GOOD, ...change })
  expect(outcome).toMatchObject({ kind: 'usable', warnings: [{ errorType: type, entityType: 'product' }] })
  if (outcome.kind === 'usable') expect(outcome.warnings[0]?.entityKey).toBe(outcome.item.key)
})

test('each doubtful column gets a warning', () => {
  expect(judge({ Title: 'Slam' })).toEqual(['missing_release_date', 'missing_amount', 'missing_supplier'])
})

test('a missing age rating is not doubtful', () => {
  expect(judge({ ...GOOD, MPAA_Rating: null })).toEqual([])
})

test('a release date is doubtful if it is more than two years ahead', () => {
  expect(judge({ ...GOOD, Release_Date: '2028-01-01' })).toEqual([])
  expect(judge({ ...GOOD, Release_Date: '2028-01-02' })).toEqual(['release_date_far_ahead'])
})

test('columns that the mapping does not name are not checked', () => {
  expect(judge({ name: 'Slam' }, { title: 'name' })).toEqual([])
})

test('CSV text is accepted for numbers and keys', () => {
  const mapping = { title: 'name', key: 'sku', amount: 'price' }
  expect(check({ name: '1941', sku: ' 00-7 ', price: '9.90' }, { mapping })).toMatchObject({
    kind: 'usable',
    item: { key: '00-7', title: '1941', amount: 9.9 },
  })
  expect(judge({ name: 'Slam', sku: '', price: '1' }, mapping)).toBe('missing_key')
  expect(judge({ name: 'Slam', sku: 'x'.repeat(301) }, mapping)).toBe('key_too_long')
})

test.for([
  ['Alien³', 'alien3'],
  ["Le Fabuleux destin d'Amélie Poulain", 'le-fabuleux-destin-d-amelie-poulain'],
  ['七人の侍', '七人の侍'],
  ['ガメラ', 'ガメラ'],
  ['half \uD800 a letter', 'half-a-letter'],
] as const)('the key of %s is %s', ([title, key]) => {
  expect(check({ ...GOOD, Title: title })).toMatchObject({ item: { key } })
})

test('messages stay short and well-formed for any feed', () => {
  const outcome = check({ ...GOOD, Release_Date: '💿'.repeat(5_000) })
  if (outcome.kind !== 'usable') throw new Error('expected a usable row')
  const [warning] = outcome.warnings
  expect(warning?.message.length).toBeLessThan(200)
  expect(JSON.stringify(warning).isWellFormed()).toBe(true)
})

test.for([
  ['12-Jun-98', '1998-06-12'],
  ['7-Aug-2004', '2004-08-07'],
  ['3 September 1999', '1999-09-03'],
  ['June 3, 1999', '1999-06-03'],
  ['March, 1987', '1987-03'],
  ['1998-06-12', '1998-06-12'],
  ['1998-06-12T10:00:00Z', '1998-06-12'],
  [1963, '1963'],
  ['1963', '1963'],
  ['1-Jan-69', '1969-01-01'],
  ['1-Jan-68', '2068-01-01'],
] as const)('the date %s is %s', ([text, iso]) => {
  expect(readDate(text)).toBe(iso)
})

test.for([
  'TBD',
  '',
  null,
  '31-Jun-98',
  '29-Feb-2001',
  '12/06/98',
  '5-Foo-98',
  '2001-13',
  '2001-02-30',
  true,
  12,
  'x 1999',
])('the date %s cannot be read', (text) => {
  expect(readDate(text)).toBeNull()
})
