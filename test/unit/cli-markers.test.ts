import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseMarker } from '../../clients/typescript/src/cli/run/marker.ts'
import { MarkerFilter } from '../../clients/typescript/src/cli/run/marker-filter.ts'

const entry = (entityKey: string, errorType: string, message: string) => ({
  entityType: 'sku',
  entityKey,
  errorType,
  message,
})

describe('A marker is read', () => {
  test.each([
    ['::progress 5/10', { processedItems: 5, totalItems: 10 }],
    ['::progress 5 / 10\r', { processedItems: 5, totalItems: 10 }],
    ['::progress 5', { processedItems: 5 }],
    ['::add 3', { processedDelta: 3 }],
    ['::add', { processedDelta: 1 }],
    ['::stage reading the file ', { stage: 'reading the file' }],
    ['::message 2 of "3"', { message: '2 of "3"' }],
    ['::count created 5', { counters: { created: 5 } }],
    ['::count "not found" 5', { counters: { 'not found': 5 } }],
    ['::error sku-1 no_price No  price', { error: entry('sku-1', 'no_price', 'No  price') }],
    ['::error "a \\"b\\"" "no price" x', { error: entry('a "b"', 'no price', 'x') }],
    ['::error "a::b" no_price x', { error: entry('a::b', 'no_price', 'x') }],
    ['::warning\tsku-1 no_image', { warning: entry('sku-1', 'no_image', 'no_image') }],
  ])('%s', (line, report) => {
    expect(parseMarker(line, 'sku')).toEqual(report)
  })

  test.each([
    '::progress',
    '::progress half',
    '::progress 1.5/2',
    '::progress -1',
    '::progress 1/2/3',
    '::progress 99999999999999999999',
    '::add x',
    '::stage',
    '::message ',
    '::count',
    '::count created many',
    `::count ${'x'.repeat(65)} 5`,
    '::error sku-1',
    '::error "sku-1 no_price No price',
    '::error file=a.js,line=1::Missing semicolon here',
    '::error::Missing semicolon here',
    '::group::Build',
    '::progress5',
    ' ::progress 5',
    '::Progress 5',
    '',
  ])('but not from %j', (line) => {
    expect(parseMarker(line, 'sku')).toBeUndefined()
  })
})

describe('What a command prints is passed on', () => {
  const MARKERS = ['::progress 1/2', '::stage a b', '::add', '::error k t m\r']
  const isMarker = (line: string) => MARKERS.includes(line)

  /** Passes chunks through a filter. */
  async function filter(chunks: Buffer[]) {
    const taken: string[] = []
    const through = new MarkerFilter((line) => isMarker(line) && taken.push(line) > 0)
    const passed: Buffer[] = []
    through.on('data', (chunk) => passed.push(chunk))
    for (const chunk of chunks) through.write(chunk)
    through.end()
    await new Promise((resolve) => through.on('end', resolve))
    return { taken, passed: Buffer.concat(passed) }
  }

  test('byte for byte without its markers, however it is cut', async () => {
    const line = fc.oneof(
      fc.constantFrom(
        ...MARKERS,
        '::progress',
        '::prog',
        ':',
        '::',
        '::progress x',
        'x ::add',
        '',
        '::group::a',
      ),
      fc
        .uint8Array({ maxLength: 8 })
        .map((bytes) => Buffer.from(bytes).toString('latin1').replaceAll('\n', '')),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.boolean(), fc.array(fc.nat(12)), async (lines, isEnded, cuts) => {
        const output = Buffer.from(lines.join('\n') + (isEnded ? '\n' : ''), 'latin1')
        const chunks: Buffer[] = []
        let at = 0
        for (const cut of cuts) {
          chunks.push(output.subarray(at, at + cut))
          at += cut
        }
        chunks.push(output.subarray(at))

        const { taken, passed } = await filter(chunks.filter((chunk) => chunk.length > 0))

        const kept: string[] = output.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? []
        expect(taken).toEqual(kept.map((it) => it.replace(/\n$/, '')).filter(isMarker))
        expect(passed.toString('latin1')).toBe(kept.filter((it) => !isMarker(it.replace(/\n$/, ''))).join(''))
      }),
    )
  })

  test('at once, unless it may become a marker', async () => {
    const through = new MarkerFilter(() => true)
    const passes = async (chunk: string) => {
      await new Promise((resolve) => through.write(chunk, resolve))
      return through.read()?.toString() ?? null
    }
    expect(await passes('Name: ')).toBe('Name: ')
    expect(await passes('::add\n::pro')).toBe('::add\n')
    expect(await passes('mpt')).toBe('::prompt')
    expect(await passes('\n::progress ')).toBe('\n')
    expect(await passes('1')).toBe(null)
    expect(await passes('/2\nnext')).toBe('next')
    through.end()
    expect(await text(through)).toBe('')
  })

  test('even a line that begins like a marker and does not end', async () => {
    const { taken, passed } = await filter(Array(70).fill(Buffer.from('::stage '.repeat(128))))
    expect(taken).toEqual([])
    expect(passed).toHaveLength(70 * 1_024)
  })
})
