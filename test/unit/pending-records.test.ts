import { describe, expect, test } from 'vitest'
import { type Pending, PendingRecords } from '../../src/recorder/pending-records.ts'
import type { PackedRecord } from '../../src/store/record-jobs.ts'

function aRecord(
  jobId: string,
  { onlyProgress = true, bytes = 10, revision = 1, organizationId = 'org' } = {},
): PackedRecord {
  return {
    key: { organizationId, jobId },
    unfinished: false,
    onlyProgress,
    state: { epoch: 0, revision, status: 'in_progress', createdAt: 0 },
    row: '',
    entries: '',
    bytes,
  }
}

const settle = () => {}
const jobsOf = (batch: Pending[]) => batch.map(({ record }) => record.key.jobId)

describe('The next batch', () => {
  test('takes all that wait, those that change a status first', () => {
    const pending = new PendingRecords()
    pending.add({ record: aRecord('a'), settle }, false)
    pending.add({ record: aRecord('b', { onlyProgress: false }), settle }, false)
    pending.add({ record: aRecord('c'), settle }, false)
    expect(pending.isUrgent).toBe(true)
    expect(jobsOf(pending.take())).toEqual(['b', 'a', 'c'])
    expect(pending.isEmpty).toBe(true)
    expect(pending.isUrgent).toBe(false)
  })

  test('takes the newest record of each job: an older one that waits is superseded', () => {
    const pending = new PendingRecords()
    const outcomes: unknown[] = []
    pending.add({ record: aRecord('a', { revision: 1 }), settle: (outcome) => outcomes.push(outcome) }, false)
    pending.add({ record: aRecord('a', { revision: 2, onlyProgress: false }), settle }, false)
    expect(outcomes).toEqual(['superseded'])
    expect(pending.take().map(({ record }) => record.state.revision)).toEqual([2])
    expect(pending.isEmpty).toBe(true)
  })

  test('takes 500 records and a million characters at most, and one record whatever its size', () => {
    const pending = new PendingRecords()
    for (let n = 0; n < 501; n++) pending.add({ record: aRecord(`job-${n}`), settle }, false)
    expect(pending.take()).toHaveLength(500)
    expect(pending.take()).toHaveLength(1)
    const sizes = { a: 600_000, b: 600_000, c: 300_000, d: 3_000_000, e: 600_000 }
    for (const [name, bytes] of Object.entries(sizes))
      pending.add({ record: aRecord(name, { bytes }), settle }, false)
    expect(jobsOf(pending.take())).toEqual(['a', 'c'])
    expect(jobsOf(pending.take())).toEqual(['b'])
    expect(jobsOf(pending.take())).toEqual(['d'])
    expect(jobsOf(pending.take())).toEqual(['e'])
  })

  test('leaves a fifth to those without a new status, however many statuses wait', () => {
    const pending = new PendingRecords()
    for (let n = 0; n < 600; n++)
      pending.add({ record: aRecord(`${n}`, { onlyProgress: false }), settle }, false)
    pending.add({ record: aRecord('progress'), settle }, false)
    const batch = jobsOf(pending.take())
    expect(batch).toHaveLength(401)
    expect(batch).toContain('progress')
  })

  test('takes a job that D1 refused before alone, and in turn with the others', () => {
    const pending = new PendingRecords()
    for (const name of ['suspect', 'another']) pending.add({ record: aRecord(name), settle }, true)
    const batches: string[][] = []
    for (let n = 0; n < 4; n++) {
      pending.add({ record: aRecord(`job-${n}`), settle }, false)
      batches.push(jobsOf(pending.take()))
    }
    expect(batches).toEqual([['job-0'], ['suspect'], ['job-1', 'job-2'], ['another']])
  })
})

describe('What waits', () => {
  /** Adds as many records as find room. */
  function fill(
    pending: PendingRecords,
    organizationId: string,
    given: { onlyProgress?: boolean; bytes?: number } = {},
  ) {
    let count = 0
    while (pending.add({ record: aRecord(`job-${count}`, { organizationId, ...given }), settle }, false))
      count++
    return count
  }

  test('is bounded in number, for each organization and in all, and a status finds room where others do not', () => {
    const pending = new PendingRecords()
    expect(fill(pending, 'a')).toBe(7_500)
    expect(fill(pending, 'b')).toBe(7_500)
    expect(fill(pending, 'c')).toBe(0)
    expect(fill(pending, 'c', { onlyProgress: false })).toBeGreaterThan(4_000)
    pending.take()
    expect(
      pending.add(
        { record: aRecord('one more', { onlyProgress: false, organizationId: 'd' }), settle },
        false,
      ),
    ).toBe(true)
  })

  test('is bounded in bytes, for each organization and in all', () => {
    const pending = new PendingRecords()
    expect(fill(pending, 'a', { bytes: 1_000_000 })).toBe(12)
    expect(fill(pending, 'b', { bytes: 1_000_000 })).toBe(12)
    expect(fill(pending, 'c', { bytes: 1_000_000, onlyProgress: false })).toBe(8)
  })
})
