import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EntriesCsv } from '../../src/http/reply/entries-csv.ts'

const entry = (more: object = {}) => ({
  entity_key: 'sku-1',
  entity_type: 'product',
  error_type: 'no_price',
  message: 'No price',
  timestamp: '2026-11-27T10:00:02.000Z',
  step: null,
  details: null,
  ...more,
})

function toCsv(...pages: object[][]): string {
  const csv = new EntriesCsv()
  return pages.map((page) => csv.page(page.map((each) => JSON.stringify(each)))).join('') + csv.end()
}

const rowsOf = (text: string): Record<string, string>[] => parse(text, { bom: true, columns: true })
const withDetails = (details: object) => entry({ details })

test('each entry is a row, and each of its details a cell', () => {
  const details = { price: -5, currency: 'EUR', is_new: true, at: null, sizes: ['S', { eu: 36 }] }
  const text = toCsv([entry(), withDetails(details)])
  expect(text).toBe(
    '\ufefftimestamp,entity_type,entity_key,error_type,message,step,' +
      'details.price,details.currency,details.is_new,details.at,details.sizes,other_details\r\n' +
      '2026-11-27T10:00:02.000Z,product,sku-1,no_price,No price,,,,,,,\r\n' +
      '2026-11-27T10:00:02.000Z,product,sku-1,no_price,No price,,' +
      '-5,EUR,true,,"[""S"",{""eu"":36}]",\r\n',
  )
})

test('details that the first page does not have are in other_details, as JSON', () => {
  const [first, second] = rowsOf(toCsv([withDetails({ a: 1 })], [withDetails({ a: 2, b: { c: 3 } })]))
  expect(first).toMatchObject({ 'details.a': '1', other_details: '' })
  expect(second).toMatchObject({ 'details.a': '2', other_details: '{"b":{"c":3}}' })
})

test('50 details get a column, and none with a long name does', () => {
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`d${n}`, n]))
  const [row = {}] = rowsOf(toCsv([withDetails({ ['n'.repeat(101)]: 'long', ...many })]))
  expect(Object.keys(row).filter((name) => name.startsWith('details.'))).toHaveLength(50)
  expect(Object.keys(JSON.parse(row.other_details ?? ''))).toEqual([
    'n'.repeat(101),
    ...Array.from({ length: 10 }, (_, n) => `d${50 + n}`),
  ])
})

test('a job without entries has a header only', () => {
  expect(toCsv()).toBe('\ufefftimestamp,entity_type,entity_key,error_type,message,step,other_details\r\n')
})

test('no cell can be taken for a formula', () => {
  const formulas = [
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '\n=1',
    '＝1+1',
    '=HYPERLINK("https://x;y")',
  ]
  const rows = rowsOf(toCsv(formulas.map((message) => entry({ message, details: { message } }))))
  expect(rows.map(({ message }) => message)).toEqual(formulas.map((text) => `'${text}`))
  expect(rows.map((row) => row['details.message'])).toEqual(formulas.map((text) => `'${text}`))
})

test('whatever the texts are, a reader of RFC 4180 gets them back', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', '"', ',', ';', '\r', '\n', '\t', '=', "'", ' ', 'é', '👍'),
  })
  fc.assert(
    fc.property(text, text, fc.dictionary(text, text, { maxKeys: 3 }), (message, step, details) => {
      const [row = {}] = rowsOf(toCsv([entry({ message, step, details })]))
      const shown = (value: string) => (/^[=\t\r\n]/.test(value) ? `'${value}` : value)
      expect(row).toMatchObject({ message: shown(message), step: shown(step) })
      for (const [name, value] of Object.entries(details)) expect(row[`details.${name}`]).toBe(shown(value))
    }),
  )
})

test('a detail may have any name', () => {
  const details = JSON.parse('{"__proto__":"odd","message":"own"}')
  expect(toCsv([withDetails(details)])).toContain('details.__proto__,details.message,other_details')
  const [, second] = rowsOf(toCsv([entry()], [withDetails(details)]))
  expect(second?.other_details).toBe('{"__proto__":"odd","message":"own"}')
})
