import { expect, test } from 'vitest'
import {
  FeedError,
  guessFormat,
  nameFeed,
  parseFeed,
  readFeed,
} from '../../examples/feed-worker/read-feed.ts'

test('CSV: the first line names the columns; quotes, commas, line breaks and a byte order mark are its own', () => {
  const text = '\uFEFFsku,name\r\n1,"Tea, ""green"""\r\n\r\n2,"two\nlines"\r\n'
  expect(parseFeed(text, 'csv')).toEqual([
    { number: 1, value: { sku: '1', name: 'Tea, "green"' } },
    { number: 2, value: { sku: '2', name: 'two\nlines' } },
  ])
})

test('CSV: a record of another length than the header is one bad row', () => {
  const rows = parseFeed('sku,name\n1,Tea\n2,Coffee,extra\n3\n4,Milk\n', 'csv')
  expect(rows).toMatchObject([
    { number: 1, value: { sku: '1', name: 'Tea' } },
    { number: 2, problem: expect.stringContaining('Invalid Record Length') },
    { number: 3, problem: expect.stringContaining('Invalid Record Length') },
    { number: 4, value: { sku: '4', name: 'Milk' } },
  ])
})

test('CSV: a column called __proto__ reaches no prototype', () => {
  const [row] = parseFeed('__proto__,name\nx,Tea\n', 'csv')
  expect(row).toMatchObject({ value: { name: 'Tea' } })
  expect(({} as { x?: unknown }).x).toBeUndefined()
})

test('CSV: a quote that never ends is a file that cannot be read', () => {
  expect(() => parseFeed('sku,name\n1,"Tea\n', 'csv')).toThrow(FeedError)
})

test('JSON: an array of rows, whatever they are', () => {
  expect(parseFeed('[{"name":"Tea"}, 5]', 'json')).toEqual([
    { number: 1, value: { name: 'Tea' } },
    { number: 2, value: 5 },
  ])
})

test.for(['{"name":"Tea"}', '[{"name":', '"Tea"', ''])('JSON: %s is no feed', (text) => {
  expect(() => parseFeed(text, 'json')).toThrow(FeedError)
})

test('JSONL: a broken line is one bad row; blank lines are none', () => {
  expect(parseFeed('{"name":"Tea"}\r\n\n{"name":\n{"name":"Milk"}', 'jsonl')).toMatchObject([
    { number: 1, value: { name: 'Tea' } },
    { number: 2, problem: expect.stringContaining('not JSON') },
    { number: 3, value: { name: 'Milk' } },
  ])
})

test.for([
  ['shop.CSV', '', '', 'csv'],
  ['shop.json', '', '', 'json'],
  ['shop.ndjson', '', '', 'jsonl'],
  ['https://shop.test/export', 'text/csv; charset=utf-8', '', 'csv'],
  ['https://shop.test/export', 'application/x-ndjson', '', 'jsonl'],
  ['https://shop.test/export', 'application/json', '', 'json'],
  ['shop', '', ' [{}]', 'json'],
  ['shop', '', '{}\n{}', 'jsonl'],
  ['shop', '', 'sku,name', 'csv'],
] as const)('%s, "%s", "%s" is %s', ([name, contentType, text, format]) => {
  expect(guessFormat(name, contentType, text)).toBe(format)
})

test('the name of a feed keeps its secrets', () => {
  expect(nameFeed('https://me:pass@shop.test/feed.csv?token=abc#x')).toBe('https://shop.test/feed.csv')
  expect(nameFeed('/home/me/feed.csv')).toBe('feed.csv')
})

test('a file that does not exist says so, without its folder', async () => {
  await expect(readFeed('/nowhere/at/all/feed.csv')).rejects.toThrow(/^feed\.csv does not exist$/)
})
