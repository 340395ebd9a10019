import { and, eq, sql } from 'drizzle-orm'
import type { JobKey } from '../jobs/job.ts'
import type { Answer } from '../jobs/retry.ts'
import { jobAnswers } from './schema.ts'
import type { Store } from './store.ts'

/** What one statement carries at most, in characters of JSON: D1 takes values of 2 MB. */
const CHARACTERS_A_STATEMENT = 500_000

/** Keeps the answers of a job whose object is about to be emptied. Safe to repeat. Throws where D1 does. */
export async function insertAnswers(store: Store, key: JobKey, answers: Answer[]): Promise<void> {
  let batch: string[] = []
  let characters = 0
  const flush = async () => {
    if (batch.length === 0) return
    const rows = sql`
      select ${key.organizationId}, ${key.jobId}, value -> 'retry' ->> 'key', value -> 'retry' ->> 'fingerprint',
        value ->> 'asOf', value -> 'job'
      from json_each(${`[${batch.join()}]`}) where true`
    await store.insert(jobAnswers).select(rows).onConflictDoNothing()
    batch = []
    characters = 0
  }
  for (const answer of answers) {
    const text = JSON.stringify(answer)
    if (characters + text.length > CHARACTERS_A_STATEMENT) await flush()
    batch.push(text)
    characters += text.length
  }
  await flush()
}

/** What a keyed request to an archived job was answered. Throws where D1 does. */
export async function findAnswer(store: Store, key: JobKey, retryKey: string): Promise<Answer | undefined> {
  const [row] = await store
    .select()
    .from(jobAnswers)
    .where(
      and(
        eq(jobAnswers.organizationId, key.organizationId),
        eq(jobAnswers.jobId, key.jobId),
        eq(jobAnswers.retryKey, retryKey),
      ),
    )
  if (row === undefined) return undefined
  return { retry: { key: row.retryKey, fingerprint: row.fingerprint }, asOf: row.asOf, job: row.job }
}
