import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import api from '../../docs/api.md?raw'
import { NewJobRequest } from '../../src/endpoints/create-job.ts'
import { JobProgressRequest } from '../../src/endpoints/report-progress.ts'
import { JobSummaryResponse } from '../../src/http/reply/job-schemas.ts'

test.each([
  ['Creating a job', NewJobRequest],
  ['Reporting', JobProgressRequest],
])('docs/api.md lists every field under "%s", and no other', (title, { shape }) => {
  const section = api.slice(api.indexOf(`## ${title}\n`)).split(/\n## /, 1)[0] ?? ''
  const listed = [...section.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(
    ([, names = '']) => names.match(/\w+/g) ?? [],
  )
  expect(listed.toSorted()).toEqual(Object.keys(shape).toSorted())
})

/** The fields of a job that the page does not show. */
const NOT_SHOWN = [
  'counters',
  'counters_not_kept',
  'created_at',
  'start_within_seconds',
  'finish_within_seconds',
  'late_at',
  'entry_bytes',
  'entities_not_kept',
  'labels',
  'parent_job_id',
]

test('the page shows every field of a job, except for those listed here', () => {
  const source = readdirSync('src/dashboard')
    .filter((name) => name.endsWith('.js'))
    .map((name) => readFileSync(`src/dashboard/${name}`, 'utf8').replace(/\/\*.*?\*\/|\/\/[^\n]*/gs, ''))
    .join('\n')
  // With a dot or by destructuring: a name may also be a word of the page.
  const isRead = (name: string) => new RegExp(`\\.${name}\\b|[{,]\\s*${name}\\s*[,:}]`).test(source)
  expect(Object.keys(JobSummaryResponse.shape).filter((name) => !isRead(name))).toEqual(NOT_SHOWN)
})
