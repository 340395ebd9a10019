import { sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { StoredJob } from '../jobs/job.ts'
import {
  type Attempt,
  type EntryKind,
  JOB_STATUSES,
  type JsonObject,
  type Sample,
  type Stage,
} from '../jobs/job.ts'

/** Every job of every organization. Times are milliseconds since the epoch. */
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
    keptEntities: integer('kept_entities').notNull().default(0),
    entityBytes: integer('entity_bytes').notNull().default(0),
    entitiesNotKept: integer('entities_not_kept').notNull().default(0),
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
    createFingerprint: text('create_fingerprint'),
    /** The fence, together: a record lands only where these are lower than its own. */
    epoch: integer().notNull().default(0),
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
    // Across organizations, for the retention that deletes old finished jobs.
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

/**
 * How many entries of an archived job there are of each error type, the most frequent first: counted once, by the job's
 * object. WITHOUT ROWID, as above.
 */
export const jobEntryGroups = sqliteTable(
  'job_entry_groups',
  {
    organizationId: text('organization_id').notNull(),
    jobId: text('job_id').notNull(),
    kind: text().$type<EntryKind>().notNull(),
    /** 1, 2, 3, … from the most frequent on. */
    rank: integer().notNull(),
    errorType: text('error_type').notNull(),
    count: integer().notNull(),
  },
  (group) => [primaryKey({ columns: [group.organizationId, group.jobId, group.kind, group.rank] })],
)

/** What keyed reports on archived jobs were answered, so that a repeat is answered the same. WITHOUT ROWID, as above. */
export const idempotentReplies = sqliteTable(
  'idempotent_replies',
  {
    organizationId: text('organization_id').notNull(),
    jobId: text('job_id').notNull(),
    requestKey: text('request_key').notNull(),
    fingerprint: text().notNull(),
    asOf: integer('as_of').notNull(),
    /** The job as the reply showed it; null: as it is now. */
    job: text({ mode: 'json' }).$type<StoredJob>(),
  },
  (reply) => [primaryKey({ columns: [reply.organizationId, reply.jobId, reply.requestKey] })],
)

/** What an organization's webhooks are signed with. */
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
  /** When a twin took its place; `expiresAt` is then when its grace ends. */
  rotatedAt: integer('rotated_at'),
})
