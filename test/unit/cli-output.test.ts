import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { describeError } from '../../clients/typescript/src/cli/describe-error.ts'
import { summarize } from '../../clients/typescript/src/cli/describe-job.ts'
import { exitCodeOfError, exitCodeOfStatus } from '../../clients/typescript/src/cli/exit-code.ts'
import { formatDuration } from '../../clients/typescript/src/cli/format.ts'
import { cutToWidth, printable, widthOf } from '../../clients/typescript/src/cli/printable.ts'
import { progressLine } from '../../clients/typescript/src/cli/progress-line.ts'
import { showProgress } from '../../clients/typescript/src/cli/show-progress.ts'
import { toTable } from '../../clients/typescript/src/cli/table.ts'
import { toApiShape } from '../../clients/typescript/src/cli/to-api-shape.ts'
import { NoKeyError, UsageError } from '../../clients/typescript/src/cli/usage-error.ts'
import { JobClosedError, RequestRefusedError, UnreachableError } from '../../clients/typescript/src/errors.ts'
import type { JobSummary } from '../../clients/typescript/src/job.ts'
import { readSummary } from '../../clients/typescript/src/wire.ts'

const WIRE = {
  job_id: 'job_1',
  job_type: 'import',
  status: 'in_progress',
  total_items: 1_000,
  processed_items: 618,
  failed_items: 2,
  progress_percentage: 62,
  rate_per_second: 123.6,
  eta_seconds: 3.07,
  error_count: 2,
  warning_count: 1,
  counters: { toBe: 1 },
  metadata: { stage: 'uploading pictures', notMine: 1 },
  stages: [{ stage: 'uploading pictures', started_at: null }],
}

function aJob(changes: Partial<JobSummary> = {}): JobSummary {
  return { ...readSummary(WIRE), ...changes }
}

test('The progress of a job fits the width, and leaves out what matters least', () => {
  expect(progressLine(aJob(), 100)).toBe(
    '[############--------]   62%  620/1,000  124/s  ETA 3.1 s  2 errors  1 warning  uploading pictures',
  )
  expect(progressLine(aJob(), 90)).toMatch(/1 warning {2}uploadin…?/)
  expect(progressLine(aJob(), 60)).toBe(' 62%  620/1,000  124/s  ETA 3.1 s  2 errors  1 warning')
  expect(progressLine(aJob(), 30)).toBe(' 62%  620/1,000  2 errors')
  expect(progressLine(aJob(), 5)).toBe(' 62%')
  expect(progressLine(aJob({ totalItems: 0, status: 'pending', metadata: {} }), 80)).toMatch(
    /^620 done {2}pending/,
  )
})

test('It never takes more columns than there are, whatever the stage', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 4, max: 120 }), (stage, columns) => {
      const line = progressLine(aJob({ metadata: { stage } }), columns)
      expect(widthOf(line)).toBeLessThanOrEqual(columns)
      expect(line).not.toMatch(/\p{Cc}/u)
    }),
  )
})

test('Colors are only used when asked for', () => {
  expect(progressLine(aJob(), 100)).not.toContain('\x1b')
  expect(progressLine(aJob(), 100, { hasColors: true })).toContain('\x1b[31m2 errors\x1b[39m')
})

test('Text of others cannot steer the terminal', () => {
  expect(printable('a\x1b[2J\x1b]0;title\x07b\r\nc\u202e')).toBe('ab c')
  const job = aJob({ status: 'failed', errorMessage: 'Exit code 1\n\x1b[2Jlast line' })
  expect(summarize(job).split('\n').slice(1, 3)).toEqual(['Exit code 1', 'last line'])
})

test('Texts are cut by columns, of which some characters take two', () => {
  expect(widthOf('日本e\u0301')).toBe(5)
  expect(cutToWidth('日本語', 5)).toBe('日本…')
  expect(cutToWidth('日本語', 4)).toBe('日…')
  expect(
    toTable(
      [
        ['A', 'B'],
        ['日本', 'x'],
        ['long cell', 'a long last cell'],
      ],
      5,
    ),
  ).toBe('A      B\n日本   x\nlong…  a long last cell')
})

test('Durations are read at a glance', () => {
  expect([0.04, 4.25, 59.9, 187, 3_723].map(formatDuration)).toEqual([
    '0 s',
    '4.3 s',
    '1:00',
    '3:07',
    '1:02:03',
  ])
})

test('JSON has the names of the API, and what callers named is as they named it', () => {
  const written = toApiShape(aJob())
  expect(written).toMatchObject(WIRE)
  expect(Object.keys(written).filter((name) => /[A-Z]/.test(name))).toEqual([])
})

test('The exit code tells what to do about it', () => {
  expect(exitCodeOfStatus('completed')).toBe(0)
  expect(exitCodeOfStatus('completed_with_warnings')).toBe(0)
  for (const status of ['failed', 'partial_success', 'cancelled'] as const)
    expect(exitCodeOfStatus(status)).toBe(5)
  expect(exitCodeOfError(new UsageError('x'))).toBe(2)
  expect(exitCodeOfError(new NoKeyError('x'))).toBe(3)
  expect(exitCodeOfError(new RequestRefusedError(401, 'x'))).toBe(3)
  expect(exitCodeOfError(new RequestRefusedError(403, 'x'))).toBe(4)
  for (const status of [400, 404, 405, 413, 422])
    expect(exitCodeOfError(new RequestRefusedError(status, 'x'))).toBe(5)
  expect(exitCodeOfError(new JobClosedError('x'))).toBe(5)
  expect(exitCodeOfError(new UnreachableError('x'))).toBe(7)
  expect(exitCodeOfError(new DOMException('x', 'TimeoutError'))).toBe(7)
  expect(exitCodeOfError(new TypeError('x'))).toBe(1)
})

test('A refusal of several fields is one readable line', () => {
  const detail = [
    { loc: ['query', 'limit'], msg: 'Too large' },
    { loc: ['body', 'errors', 0, 'message'], msg: 'Missing' },
  ]
  expect(describeError(new RequestRefusedError(422, detail))).toBe(
    '422 limit: Too large; errors.0.message: Missing',
  )
})

test.each([
  ['a terminal', true, 'xterm', 0],
  ['a terminal that cannot redraw a line', true, 'dumb', 2_000],
  ['a log', false, 'xterm', 2_000],
])('on %s, states are shown as often as they can be read', (_, isTTY, TERM, intervalMs) => {
  const output = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.WriteStream
  expect(showProgress(output, { TERM }).intervalMs).toBe(intervalMs)
})
