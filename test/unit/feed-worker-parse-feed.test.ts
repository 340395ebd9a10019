import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { FeedError } from '../../examples/feed-worker/feed-error.ts'
import { type FeedFormat, guessFormat, parseFeed } from '../../examples/feed-worker/parse-feed.ts'

/** The rows of the text, which arrives byte by byte: no row and no letter may depend on where a chunk ends. */
function parse(text: string, format: FeedFormat) {
  return parseBytes(Buffer.from(text), format)
}

function parseBytes(bytes: Uint8Array, format: FeedFormat) {
  return parseFeed(Readable.from([...bytes].map((byte) => Uint8Array.of(byte))), format)
}

test('CSV: the first line names the columns; quotes, commas, line breaks and a byte order mark are its own', async () => {
  const text = '\uFEFFsku,name\r\n1,"Tea, ""green"""\r\n\r\n2,"two\nlines"\r\n'
  expect(await parse(text, 'csv')).toEqual([
    { number: 1, value: { sku: '1', name: 'Tea, "green"' } },
    { number: 2, value: { sku: '2', name: 'two\nlines' } },
  ])
})

test('CSV: a record of another length than the header is one bad row', async () => {
  const rows = await parse('sku,name\n1,Tea\n2,Coffee,extra\n3\n4,Milk\n', 'csv')
  expect(rows).toMatchObject([
    { number: 1, value: { sku: '1', name: 'Tea' } },
    { number: 2, problem: expect.stringContaining('Invalid Record Length') },
    { number: 3, problem: expect.stringContaining('Invalid Record Length') },
    { number: 4, value: { sku: '4', name: 'Milk' } },
  ])
})

test('CSV: a column called __proto__ reaches no prototype', async () => {
  const [row] = await parse('__proto__,name\nx,Tea\n', 'csv')
  expect(row).toMatchObject({ value: { name: 'Tea' } })
  expect(({} as { x?: unknown }).x).toBeUndefined()
})

test('CSV: a quote that never ends is a file that cannot be read', async () => {
  await expect(parse('sku,name\n1,"Tea\n', 'csv')).rejects.toThrow(FeedError)
})

test('CSV: a quote that is never closed is noticed long before the end of a large file', async () => {
  let sent = 0
  const feed = function* () {
    yield Buffer.from('name\n"')
    for (; sent < 100; sent++) yield Buffer.alloc(1024 * 1024, 'x')
  }
  await expect(parseFeed(Readable.from(feed(), { highWaterMark: 1 }), 'csv')).rejects.toThrow(FeedError)
  expect(sent).toBeLessThan(10)
})

test('JSON: an array of rows, whatever they are', async () => {
  expect(await parse('[{"name":"Tea"}, 5]', 'json')).toEqual([
    { number: 1, value: { name: 'Tea' } },
    { number: 2, value: 5 },
  ])
})

test.for(['{"name":"Tea"}', '[{"name":', '"Tea"', ''])('JSON: %s is no feed', async (text) => {
  await expect(parse(text, 'json')).rejects.toThrow(FeedError)
})

test('JSONL: a broken line is one bad row; blank lines are none', async () => {
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
] as const)('%s: a letter that is not UTF-8 is lost, and the row is not', async ([format, text]) => {
  expect(await parseBytes(Buffer.from(text, 'latin1'), format)).toEqual([
    { number: 1, value: { name: 'Caf\uFFFD' } },
  ])
})

test('more than two million rows are too many', async () => {
  const thousandRows = Buffer.from('1\n'.repeat(1_000))
  const feed = (rows: number) => Readable.from(Array.from({ length: rows / 1_000 }, () => thousandRows))
  await expect(parseFeed(feed(2_001_000), 'jsonl')).rejects.toThrow('The feed has over 2000000 rows')
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
] as const)('%s, "%s", "%s" is %s', ([name, contentType, text, format]) => {
  expect(guessFormat(name, contentType, text)).toBe(format)
})
