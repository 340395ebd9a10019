import { describe, expect, test } from 'vitest'
import { type Pending, PendingRecords } from '../../src/recorder/pending-records.ts'
import type { PackedRecord } from '../../src/store/record-jobs.ts'

function aRecord(jobId: string, { onlyProgress = true, characters = 10, revision = 1 } = {}): PackedRecord {
  return {
    key: { organizationId: 'org', jobId },
    unfinished: false,
    onlyProgress,
    state: { epoch: 0, revision, status: 'in_progress', createdAt: 0 },
    row: 'x'.repeat(characters),
    entries: '',
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

  test('takes one record of each job: two would not know of each other', () => {
    const pending = new PendingRecords()
    for (const revision of [1, 2]) pending.add({ record: aRecord('a', { revision }), settle }, false)
    expect(pending.take().map(({ record }) => record.state.revision)).toEqual([1])
    expect(pending.take().map(({ record }) => record.state.revision)).toEqual([2])
  })

  test('takes 500 records and a million characters at most, and one record whatever its size', () => {
    const pending = new PendingRecords()
    for (let n = 0; n < 501; n++) pending.add({ record: aRecord(`job-${n}`), settle }, false)
    expect(pending.take()).toHaveLength(500)
    expect(pending.take()).toHaveLength(1)
    for (const characters of [600_000, 600_000, 300_000, 3_000_000])
      pending.add({ record: aRecord(`of ${characters}`, { characters }), settle }, false)
    pending.add({ record: aRecord('last', { characters: 600_000 }), settle }, false)
    expect(jobsOf(pending.take())).toEqual(['of 600000', 'of 300000'])
    expect(jobsOf(pending.take())).toEqual(['of 600000'])
  })

  test('takes a job that D1 refused before alone, after all others', () => {
    const pending = new PendingRecords()
    pending.add({ record: aRecord('suspect', { onlyProgress: false }), settle }, true)
    pending.add({ record: aRecord('a'), settle }, false)
    expect(pending.isUrgent).toBe(false)
    expect(jobsOf(pending.take())).toEqual(['a'])
    expect(jobsOf(pending.take())).toEqual(['suspect'])
  })
})

describe('What waits', () => {
  test('is bounded in number', () => {
    const pending = new PendingRecords()
    for (let n = 0; n < 20_000; n++)
      expect(pending.add({ record: aRecord(`job-${n}`), settle }, false)).toBe(true)
    expect(pending.add({ record: aRecord('one more'), settle }, false)).toBe(false)
    pending.take()
    expect(pending.add({ record: aRecord('one more'), settle }, false)).toBe(true)
  })

  test('is bounded in characters', () => {
    const pending = new PendingRecords()
    for (let n = 0; n < 32; n++) {
      expect(pending.add({ record: aRecord(`job-${n}`, { characters: 1_000_000 }), settle }, false)).toBe(
        true,
      )
    }
    expect(pending.add({ record: aRecord('one more'), settle }, false)).toBe(false)
  })
})
