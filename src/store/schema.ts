import { sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import {
  type Attempt,
  type EntryKind,
  JOB_STATUSES,
  type Job,
  type JsonObject,
  type Sample,
  type Stage,
} from '../jobs/job.ts'

/** Every job of every organisation. Times are milliseconds since the epoch. */
export const jobs = sqliteTable(
  'jobs',
  {
    organizationId: text('organization_id').notNull(),
    jobId: text('job_id').notNull(),
    jobType: text('job_type').notNull(),
    status: text({ enum: JOB_STATUSES }).notNull(),
    totalItems: integer('total_items').notNull(),
    processedItems: integer('processed_items').notNull(),
    failedItems: integer('failed_items').notNull(),
    warnedItems: integer('warned_items').notNull(),
    errorCount: integer('error_count').notNull(),
    warningCount: integer('warning_count').notNull(),
    keptErrors: integer('kept_errors').notNull(),
    keptWarnings: integer('kept_warnings').notNull(),
    metadata: text({ mode: 'json' }).$type<JsonObject>().notNull(),
    triggeredBy: text('triggered_by'),
    errorMessage: text('error_message'),
    createdAt: integer('created_at').notNull(),
    startedAt: integer('started_at'),
    completedAt: integer('completed_at'),
    updatedAt: integer('updated_at').notNull(),
    stallAfterSeconds: integer('stall_after_seconds'),
    stalledAt: integer('stalled_at'),
    callbackUrl: text('callback_url'),
    attempts: text({ mode: 'json' }).$type<Attempt[]>().notNull(),
    nextDeliveryAt: integer('next_delivery_at'),
    stages: text({ mode: 'json' }).$type<Stage[]>().notNull(),
    pace: text({ mode: 'json' }).$type<Sample[]>().notNull(),
    /** The fence: a write lands only where this is lower than its own. */
    revision: integer().notNull(),
  },
  (job) => [
    primaryKey({ columns: [job.organizationId, job.jobId] }),
    // What a list can be narrowed by, each with the status: a list asks for the newest of each status that it wants, so
    // that these serve all its filters. No column that each report touches is indexed: that would double
    // what a report costs here.
    index('jobs_by_status').on(job.organizationId, job.status, job.createdAt, job.jobId),
    index('jobs_by_type').on(job.organizationId, job.jobType, job.status, job.createdAt, job.jobId),
    index('jobs_by_trigger').on(job.organizationId, job.triggeredBy, job.status, job.createdAt, job.jobId),
    index('jobs_by_type_and_trigger').on(
      job.organizationId,
      job.jobType,
      job.triggeredBy,
      job.status,
      job.createdAt,
      job.jobId,
    ),
    index('jobs_stalled').on(job.organizationId, job.createdAt, job.jobId).where(sql`stalled_at is not null`),
    // Across organisations, for the retention that deletes old finished jobs.
    index('jobs_finished').on(job.completedAt).where(sql`completed_at is not null`),
  ],
)

/**
 * The errors and warnings of the jobs, in the order in which each job got them. The migration makes the table WITHOUT
 * ROWID, which Drizzle cannot say: each entry is then one row written and not two.
 */
export const jobEntries = sqliteTable(
  'job_entries',
  {
    organizationId: text('organization_id').notNull(),
    jobId: text('job_id').notNull(),
    kind: text().$type<EntryKind>().notNull(),
    seq: integer().notNull(),
    /** The entry as JSON, as it is published. */
    text: text().notNull(),
  },
  (entry) => [primaryKey({ columns: [entry.organizationId, entry.jobId, entry.kind, entry.seq] })],
)

/** What keyed requests were answered, of jobs whose object has been emptied: a retry gets the same answer from here. */
export const jobAnswers = sqliteTable(
  'job_answers',
  {
    organizationId: text('organization_id').notNull(),
    jobId: text('job_id').notNull(),
    retryKey: text('retry_key').notNull(),
    fingerprint: text().notNull(),
    asOf: integer('as_of').notNull(),
    /** The job as the answer showed it. */
    job: text({ mode: 'json' }).$type<Job>().notNull(),
  },
  (answer) => [primaryKey({ columns: [answer.organizationId, answer.jobId, answer.retryKey] })],
)

/** What an organisation's webhooks are signed with. */
export const webhookSecrets = sqliteTable('webhook_secrets', {
  organizationId: text('organization_id').primaryKey(),
  /** As the Standard Webhooks scheme writes it: `whsec_` and base64. */
  secret: text().notNull(),
  createdAt: integer('created_at').notNull(),
})

/** Server API keys. The key itself is nowhere: only the SHA-256 of it is. */
export const apiKeys = sqliteTable('api_keys', {
  /** SHA-256 of the whole key, 64 hexadecimal digits. */
  keyHash: text('key_hash').primaryKey(),
  /** What operators call the key by; not secret. */
  keyId: text('key_id').notNull().unique(),
  /** At least one. Only operators look a key up by them, and seldom: no index. */
  organizationIds: text('organization_ids', { mode: 'json' }).$type<string[]>().notNull(),
  name: text().notNull(),
  permissions: text({ mode: 'json' }).$type<string[]>().notNull(),
  createdAt: integer('created_at').notNull(),
  expiresAt: integer('expires_at'),
  revokedAt: integer('revoked_at'),
  /** To the hour. */
  lastUsedAt: integer('last_used_at'),
})
