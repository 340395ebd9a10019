import { expect, test } from 'vitest'
import { EarlyReports } from '../../clients/typescript/src/cli/run/early-reports.ts'
import { readRunArgs } from '../../clients/typescript/src/cli/run/read-run-args.ts'
import { StderrTail } from '../../clients/typescript/src/cli/run/stderr-tail.ts'

function tailOf(...chunks: string[]): string {
  const tail = new StderrTail()
  for (const chunk of chunks) tail.add(Buffer.from(chunk))
  return tail.toString()
}

test('A failure is explained by the last 20 lines and 4 KB of stderr, as a terminal would show them', () => {
  const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`)
  expect(tailOf(`${lines.join('\n')}\n`)).toBe(lines.slice(10).join('\n'))
  expect(tailOf('\x1b[31mred\x1b[39m\r\n', '10%\r50%\rdone\n\n')).toBe('red\ndone')
  const cut = tailOf('é'.repeat(3_000), '\nlast\n')
  expect(cut).toBe('last')
  expect(tailOf('x'.repeat(10_000)).length).toBe(4_096)
  expect(tailOf()).toBe('')
})

test('What comes before the job exists is merged, and what is dropped is counted', () => {
  const early = new EarlyReports()
  early.add({ processedItems: 1, totalItems: 10 })
  early.add({ stage: 'one' })
  early.add({ processedDelta: 2, counters: { created: 1 } })
  early.add({ stage: 'two', counters: { created: 1 } })
  const error = { entityKey: 'a', errorType: 'b', message: 'c' }
  for (let n = 0; n < 10_005; n++) early.add({ error })

  const { errors, warnings, ...fields } = early.toReport()
  expect(fields).toEqual({ processedItems: 3, totalItems: 10, stage: 'two', counters: { created: 2 } })
  expect(errors).toHaveLength(10_000)
  expect(warnings).toEqual([
    expect.objectContaining({ errorType: 'entries_dropped', message: expect.stringMatching(/^5 errors/) }),
  ])
})

test('The arguments of run end at --, and what follows is the command', () => {
  const args = ['--name', 'x', '--metadata', 'a=b=c', '--total', '5', '--', '/bin/ls', '--total', '--', '-l']
  const { job, command } = readRunArgs(args)
  expect(command).toEqual(['/bin/ls', '--total', '--', '-l'])
  expect(job).toEqual({ jobType: 'ls', totalItems: 5, metadata: { name: 'x', a: 'b=c' } })
  expect(readRunArgs(['--job-id', 'job_1', '--', 'ls']).job).toEqual({ jobId: 'job_1' })
  for (const wrong of [
    [],
    ['ls'],
    ['--'],
    ['--', ''],
    ['--total', 'x', '--', 'ls'],
    ['--total', '1.5', '--', 'ls'],
    ['--metadata', 'a', '--', 'ls'],
    ['--job-id', 'job_1', '--total', '1', '--', 'ls'],
    ['--key', 'secret', '--', 'ls'],
    ['x', '--', 'ls'],
  ])
    expect(() => readRunArgs(wrong), wrong.join(' ')).toThrow(expect.objectContaining({ name: 'UsageError' }))
})
