import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { presentDeliveries, presentSummary } from '../../src/jobs/present-job.ts'
import { aJob } from './fixtures.ts'

/** The fields of a job that the page leaves out: it shows when a job started, and what it keeps as counts of entries. */
const NOT_SHOWN = ['created_at', 'entry_bytes', 'entities_not_kept']

const FOLDER = 'src/dashboard'
const source = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.js'))
  .map((name) => readFileSync(`${FOLDER}/${name}`, 'utf8').replace(/\/\*.*?\*\/|\/\/[^\n]*/gs, ''))
  .join('\n')

/** Whether a file of the page reads a property of this name, with a dot or by destructuring. */
function isRead(field: string): boolean {
  return new RegExp(`\\.${field}\\b|[{,]\\s*${field}\\s*[,:}]`).test(source)
}

test('The page shows every field of a job that is not listed as left out', () => {
  const fields = Object.keys({ ...presentSummary(aJob({}), 0), ...presentDeliveries(aJob({})) })
  expect(fields.filter((field) => !isRead(field))).toEqual(NOT_SHOWN)
})
