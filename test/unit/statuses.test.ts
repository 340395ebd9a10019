import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import rules from '../../docs/rules.md?raw'
import client from '../../src/client/wire.ts?raw'
import { JobStatusResponse, JobSummaryResponse } from '../../src/http/reply/job-schemas.ts'
import { JOB_STATUSES } from '../../src/jobs/job.ts'

// Read as a file: vitest empties imported style sheets.
const css = readFileSync('src/dashboard/base.css', 'utf8')

// The page's word for a status is a matter of types: src/dashboard/status.js fails to compile without it.
describe.each(JOB_STATUSES)('The status %s', (status) => {
  test('has a color on the page', () => {
    expect(css).toContain(`[data-status="${status}"]`)
  })

  test('is in the published schema, the docs and the client', () => {
    const words = (text: string | undefined) => text?.split(/[^a-z_]+/)
    expect(words(JobSummaryResponse.shape.status.description)).toContain(status)
    expect(words(JobStatusResponse.shape.status.description)).toContain(status)
    expect(words(rules.slice(rules.indexOf('pending →')).split('\n', 1)[0])).toContain(status)
    expect(words(client.split('\n').find((line) => line.includes('/** pending,')))).toContain(status)
  })
})
