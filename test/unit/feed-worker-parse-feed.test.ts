import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { FeedError } from '../../examples/feed-worker/feed-error.ts'
import { type FeedFormat, guessFormat, parseFeed } from '../../examples/feed-worker/parse-feed.ts'

/** Feeds the parser one byte at a time: no row and no character may depend on where a chunk ends. */
function parse(text: string, format: FeedFormat) {
  return parseBytes(Buffer.from(text), format)
}

function parseBytes(bytes: Uint8Array, format: FeedFormat) {
  return parseFeed(Readable.from([...bytes].map((byte) => Uint8Array.of(byte))), format)
}

test('CSV: reads the header row, quotes, commas, line breaks and a byte order mark', async () => {
  const text = '\uFEFFsku,name\r\n1,"Tea, ""green"""\r\n\r\n2,"two\nlines"\r\n'
  expect(await parse(text, 'csv')).toEqual([
    { number: 1, value: { sku: '1', name: 'Tea, "green"' } },
    { number: 2, value: { sku: '2', name: 'two\nlines' } },
  ])
})

test('CSV: a record with more or fewer cells than the header is one bad row', async () => {
  const rows = await parse('sku,name\n1,Tea\n2,Coffee,extra\n3\n4,Milk\n', 'csv')
  expect(rows).toMatchObject([
    { number: 1, value: { sku: '1', name: 'Tea' } },
    { number: 2, problem: expect.stringContaining('Invalid Record Length') },
    { number: 3, problem: expect.stringContaining('Invalid Record Length') },
    { number: 4, value: { sku: '4', name: 'Milk' } },
  ])
})

test('CSV: a column named __proto__ does not touch the prototype', async () => {
  const [row] = await parse('__proto__,name\nx,Tea\n', 'csv')
  expect(row).toMatchObject({ value: { name: 'Tea' } })
  expect(({} as { x?: unknown }).x).toBeUndefined()
})

test('CSV: an unclosed quote makes the file unreadable', async () => {
  await expect(parse('sku,name\n1,"Tea\n', 'csv')).rejects.toThrow(FeedError)
})

test('CSV: an unclosed quote is noticed long before the end of a large file', async () => {
  let sent = 0
  const feed = function* () {
    yield Buffer.from('name\n"')
    for (; sent < 100; sent++) yield Buffer.alloc(1024 * 1024, 'x')
  }
  await expect(parseFeed(Readable.from(feed(), { highWaterMark: 1 }), 'csv')).rejects.toThrow(FeedError)
  expect(sent).toBeLessThan(10)
})

test('JSON: every element of the array is a row', async () => {
  expect(await parse('[{"name":"Tea"}, 5]', 'json')).toEqual([
    { number: 1, value: { name: 'Tea' } },
    { number: 2, value: 5 },
  ])
})

test.for(['{"name":"Tea"}', '[{"name":', '"Tea"', ''])('JSON: %s is not a feed', async (text) => {
  await expect(parse(text, 'json')).rejects.toThrow(FeedError)
})

test('JSONL: a broken line is one bad row, and blank lines are skipped', async () => {
  expect(await parse('{"name":"Tea"}\r\n\n{"name":\n{"name":"Milk"}', 'jsonl')).toMatchObject([
    { number: 1, value: { name: 'Tea' } },
    { number: 2, problem: expect.stringContaining('not JSON') },
    { number: 3, value: { name: 'Milk' } },
  ])
})

test.for([
  ['csv', 'name\nCaf\xe9\n'],
  ['json', '[{"name":"Caf\xe9"}]'],
  ['jsonl', '{"name":"Caf\xe9"}'],
] as const)('%s: a byte that is not UTF-8 spoils a character, not the row', async ([format, text]) => {
  expect(await parseBytes(Buffer.from(text, 'latin1'), format)).toEqual([
    { number: 1, value: { name: 'Caf\uFFFD' } },
  ])
})

test('a feed with more than two million rows is refused', async () => {
  const thousandRows = Buffer.from('1\n'.repeat(1_000))
  const feed = (rows: number) => Readable.from(Array.from({ length: rows / 1_000 }, () => thousandRows))
  await expect(parseFeed(feed(2_001_000), 'jsonl')).rejects.toThrow('The feed has more than 2000000 rows')
}, 30_000)

test.for([
  ['shop.CSV', '', '', 'csv'],
  ['shop.json', '', '', 'json'],
  ['shop.ndjson', '', '', 'jsonl'],
  ['shop.csv.gz', 'application/gzip', '', 'csv'],
  ['shop.JSON.GZ', '', '', 'json'],
  ['https://shop.test/export', 'text/csv; charset=utf-8', '', 'csv'],
  ['https://shop.test/export', 'application/x-ndjson', '', 'jsonl'],
  ['https://shop.test/export', 'application/json', '', 'json'],
  ['shop', '', ' [{}]', 'json'],
  ['shop', '', '{}\n{}', 'jsonl'],
  ['shop', '', 'sku,name', 'csv'],
] as const)(
  'the format of "%s", with content type "%s" and text "%s", is %s',
  ([name, contentType, text, format]) => {
    expect(guessFormat(name, contentType, text)).toBe(format)
  },
)
