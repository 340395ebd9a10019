import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import rules from '../../docs/rules.md?raw'
import { JobStatusResponse, JobSummaryResponse } from '../../src/http/reply/job-schemas.ts'
import { JOB_STATUSES } from '../../src/jobs/job.ts'

// Read as a file: vitest empties imported style sheets.
const css = readFileSync('src/dashboard/base.css', 'utf8')

// src/dashboard/status.js does not compile unless it knows each status.
describe.each(JOB_STATUSES)('The status %s', (status) => {
  test('has a color on the page', () => {
    expect(css).toContain(`[data-status="${status}"]`)
  })

  test('is in the published schema and the docs', () => {
    const words = (text: string | undefined) => text?.split(/[^a-z_]+/)
    expect(words(JobSummaryResponse.shape.status.description)).toContain(status)
    expect(words(JobStatusResponse.shape.status.description)).toContain(status)
    expect(words(rules.slice(rules.indexOf('pending →')).split('\n', 1)[0])).toContain(status)
  })
})
