import { expect, test } from 'vitest'
import { isJobId, jobIdOf } from '../../src/jobs/job-id.ts'

test('a new job gets a valid ID', () => {
  const id = jobIdOf('01A20C24-941b-765d-a1f9-912458cbd4df')
  expect(id).toBe('job_01a20c24941b765da1f9912458cbd4df')
  expect(isJobId(id)).toBe(true)
})

test.each([
  'a',
  '7',
  '-',
  '__proto__',
  '01a20c24-941b-765d-a1f9-912458cbd4df',
  'IMPORT_2024-07-01',
  'x'.repeat(128),
])('an imported job may have the ID %j', (id) => expect(isJobId(id)).toBe(true))

test.each(['', ' ', 'a b', 'a.b', 'a/b', 'a\n', '\na', 'ä', '𝟙', 'a\0', '..', '%41', 'x'.repeat(129)])(
  'no job may have the ID %j',
  (text) => expect(isJobId(text)).toBe(false),
)
