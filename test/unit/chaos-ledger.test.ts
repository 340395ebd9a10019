import { describe, expect, test } from 'vitest'
import { compareJob } from '../chaos/compare-job.ts'
import { TENANTS } from '../chaos/edge-commands.ts'
import { countAcknowledged, type LedgerJob, possibleStatuses, type SeenJob } from '../chaos/ledger.ts'

/** A job of two workers, with errors and a warning, a refused report and an unanswered one. */
function aLedger(): LedgerJob {
  const report = { errors: [], warnings: [], marked: true, outcome: 'acknowledged' as const }
  return {
    jobId: 'job_1',
    tenant: TENANTS[0],
    totalItems: 3,
    reports: [
      { ...report, worker: 'a', n: 1, errors: ['a1'], mark: 'started' },
      { ...report, worker: 'b', n: 1, warnings: ['b1'] },
      { ...report, worker: 'a', n: 2, errors: ['a2', 'a3'] },
      { ...report, worker: 'b', n: 2, errors: ['b2'], marked: false, outcome: 'unanswered' },
      { ...report, worker: 'b', n: 3, errors: ['b3'], outcome: 'refused' },
    ],
    clockSetBacks: 0,
    complaints: [],
  }
}

const line = (key: string) => JSON.stringify({ entity_key: key })
const at = Date.parse('2026-01-01T00:00:00Z')

/** A job with these entries, the same in the edge and in D1. */
function asSeen(errors: string[], warnings: string[], revision: number): SeenJob {
  const shared = {
    job_id: 'job_1',
    job_type: 'chaos',
    status: 'in_progress',
    total_items: 3,
    processed_items: 2,
    failed_items: new Set(errors).size,
    warned_items: new Set(warnings).size,
    error_count: errors.length,
    warning_count: warnings.length,
    triggered_by: null,
    error_message: null,
  }
  const iso = new Date(at).toISOString()
  const record = (keys: string[]) => keys.map((key, index) => ({ seq: index + 1, text: line(key) }))
  return {
    job: {
      ...shared,
      created_at: iso,
      started_at: iso,
      completed_at: null,
      entries_not_kept: 0,
      metadata: { a: 2, b: 1 },
      errors: errors.map((key) => JSON.parse(line(key))),
      warnings: warnings.map((key) => JSON.parse(line(key))),
    },
    errors: errors.map(line),
    warnings: warnings.map(line),
    row: {
      ...shared,
      created_at: at,
      started_at: at,
      completed_at: null,
      metadata: '{"a":2,"b":1}',
      kept_errors: errors.length,
      kept_warnings: warnings.length,
      revision,
    },
    recordedErrors: record(errors),
    recordedWarnings: record(warnings),
    strayRows: 0,
  }
}

const whole = () => asSeen(['a1', 'a2', 'a3'], ['b1'], 4)

/** Like `whole`, with other values in some columns of D1's row. */
function withRow(changes: Record<string, unknown>): SeenJob {
  const seen = whole()
  return { ...seen, row: { ...seen.row, ...changes } }
}

/** Like `whole`, with the same wrong values in the job and in D1: only the ledger can tell. */
function withBoth(changes: Record<string, unknown>): SeenJob {
  const seen = withRow(changes)
  return { ...seen, job: { ...seen.job, ...changes } }
}

describe('compareJob finds nothing wrong', () => {
  const clean = { lost: [], doubled: [], disagreements: [] }

  test('if each acknowledged report is there once', () => {
    expect(compareJob(aLedger(), whole())).toEqual(clean)
  })

  test('if an unanswered report is there too', () => {
    expect(compareJob(aLedger(), asSeen(['a1', 'b2', 'a2', 'a3'], ['b1'], 5))).toEqual(clean)
  })

  test('if an unanswered report took several revisions, or is missing and took none', () => {
    const ledger = aLedger()
    const unanswered = ledger.reports.find(({ outcome }) => outcome === 'unanswered')
    Object.assign(unanswered ?? {}, { revisions: 3 })
    expect(compareJob(ledger, asSeen(['a1', 'b2', 'a2', 'a3'], ['b1'], 7))).toEqual(clean)
    expect(compareJob(ledger, whole())).toEqual(clean)
  })

  test.each([4, 5, 6])('if the clock was set back twice and the job has revision %i', (revision) => {
    const ledger = { ...aLedger(), clockSetBacks: 2 }
    expect(compareJob(ledger, withRow({ revision }))).toEqual(clean)
  })
})

describe('compareJob finds', () => {
  test('a lost report', () => {
    const { lost, doubled } = compareJob(aLedger(), asSeen(['a1', 'a2', 'a3'], [], 3))
    expect({ lost, doubled }).toEqual({ lost: ['report b/1'], doubled: [] })
  })

  test('a partly lost report', () => {
    expect(compareJob(aLedger(), asSeen(['a1', 'a2'], ['b1'], 4)).lost).toEqual(['report a/2'])
  })

  test('a lost job', () => {
    const seen: SeenJob = {
      ...whole(),
      job: null,
      errors: [],
      warnings: [],
    }
    expect(compareJob(aLedger(), seen).lost).toEqual([
      'the job itself',
      'report a/1 (started)',
      'report b/1',
      'report a/2',
    ])
  })

  test('a doubled report', () => {
    const { lost, doubled } = compareJob(aLedger(), asSeen(['a1', 'a2', 'a3', 'a2', 'a3'], ['b1'], 5))
    expect({ lost, doubled }).toEqual({ lost: [], doubled: ['error a2', 'error a3'] })
  })

  test('a report that was applied twice, even if its entries are there once', () => {
    const { disagreements } = compareJob(aLedger(), withRow({ revision: 5 }))
    expect(disagreements).toEqual(['the revision is 5, not 4'])
  })

  test.each([3, 6])('revision %i, which one setback of the clock does not explain', (revision) => {
    const { disagreements } = compareJob({ ...aLedger(), clockSetBacks: 1 }, withRow({ revision }))
    expect(disagreements).toEqual([`the revision is ${revision}, not 4 to 5`])
  })

  test('a report that was both refused and applied', () => {
    const { disagreements } = compareJob(aLedger(), asSeen(['a1', 'a2', 'a3', 'b3'], ['b1'], 5))
    expect(disagreements).toEqual(['report b/3 was refused and applied'])
  })

  test('an unanswered report that was applied in part', () => {
    const ledger = aLedger()
    ledger.reports[3]?.errors.push('b2-too')
    const { disagreements } = compareJob(ledger, asSeen(['a1', 'b2', 'a2', 'a3'], ['b1'], 5))
    expect(disagreements).toEqual(['report b/2 was applied in part: 1 of 2 entries'])
  })

  test('an entry that nobody sent', () => {
    const { disagreements } = compareJob(aLedger(), asSeen(['a1', 'a2', 'a3', 'x'], ['b1'], 4))
    expect(disagreements).toEqual(['errors: nobody sent x'])
  })

  test('reports of one worker out of order', () => {
    const { disagreements } = compareJob(aLedger(), asSeen(['a2', 'a3', 'a1'], ['b1'], 4))
    expect(disagreements).toEqual(['errors: a2 is out of order'])
  })

  test.each([
    ['a status that nobody reported', { status: 'completed' }, 'status is completed, not in_progress'],
    ['a count of processed items that nobody reported', { processed_items: 7 }, /^processed_items is 7/],
    ['a wrong total', { total_items: 4 }, 'total_items is 4, not 3'],
    ['a wrong count of errors', { error_count: 4 }, 'error_count is 4, not 3'],
    ['one failed item too many', { failed_items: 4 }, 'failed_items is 4, not 3'],
  ])('%s', (_, changes, expected) => {
    const { disagreements } = compareJob(aLedger(), withBoth(changes))
    expect(disagreements).toEqual([typeof expected === 'string' ? expected : expect.stringMatching(expected)])
  })

  test('metadata left by an earlier report', () => {
    const seen = whole()
    const stale = {
      ...seen,
      job: { ...seen.job, metadata: { a: 1, b: 1 } },
      row: { ...seen.row, metadata: '{"a":1,"b":1}' },
    }
    expect(compareJob(aLedger(), stale).disagreements).toEqual(['metadata.a is 1, not 2'])
  })

  test('a row in D1 that is behind the job', () => {
    const { lost, disagreements } = compareJob(aLedger(), withRow({ processed_items: 1, revision: 3 }))
    expect(lost).toEqual([])
    expect(disagreements).toEqual(["D1's processed_items: 1, the edge's: 2", 'the revision is 3, not 4'])
  })

  test('a job that D1 lacks', () => {
    expect(compareJob(aLedger(), { ...whole(), row: null }).disagreements).toEqual(['D1 has no such job'])
  })

  test('an entry that D1 lacks or has twice', () => {
    const seen = whole()
    const lacking = { ...seen, recordedErrors: seen.recordedErrors.slice(0, 2) }
    const twice = { ...seen, recordedWarnings: [...seen.recordedWarnings, ...seen.recordedWarnings] }
    for (const other of [lacking, twice]) {
      expect(compareJob(aLedger(), other).disagreements).toEqual([
        expect.stringMatching(/^D1's (errors|warnings)/),
        expect.stringMatching(/^D1's positions of (errors|warnings)/),
      ])
    }
  })

  test('a job that another database has rows of', () => {
    expect(compareJob(aLedger(), { ...whole(), strayRows: 2 }).disagreements).toEqual([
      'another database has 2 rows of the job',
    ])
  })

  test('a job that does not show its newest entries', () => {
    const seen = whole()
    const { disagreements } = compareJob(aLedger(), { ...seen, job: { ...seen.job, errors: [] } })
    expect(disagreements).toEqual(['the job does not show its newest errors'])
  })

  test('complaints from during the run', () => {
    const ledger = aLedger()
    ledger.complaints.push('a replay differs')
    expect(compareJob(ledger, whole()).disagreements).toEqual(['a replay differs'])
  })
})

describe('the possible statuses of a job', () => {
  const ended = (mark: 'completed' | 'failed', outcome: 'acknowledged' | 'unanswered'): LedgerJob => {
    const ledger = aLedger()
    ledger.reports.push({ worker: 'a', n: 3, errors: ['a4'], warnings: [], mark, marked: true, outcome })
    return ledger
  }

  test.each([
    ['completed', true, true, ['partial_success']],
    ['completed', false, true, ['completed_with_warnings']],
    ['completed', false, false, ['completed']],
    ['failed', true, true, ['failed']],
  ] as const)('after %s, with errors: %s, with warnings: %s', (mark, hasErrors, hasWarnings, expected) => {
    expect(possibleStatuses(ended(mark, 'acknowledged'), hasErrors, hasWarnings)).toEqual(expected)
  })

  test('include in_progress if the final report was unanswered', () => {
    expect(possibleStatuses(ended('completed', 'unanswered'), true, true)).toEqual([
      'partial_success',
      'in_progress',
    ])
  })
})

test('countAcknowledged counts the entries of acknowledged reports only', () => {
  expect(countAcknowledged(aLedger())).toEqual({ errors: 3, warnings: 1 })
})
