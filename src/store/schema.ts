import { sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { PackedHistory } from '../jobs/history.ts'
import type { StoredJob } from '../jobs/job.ts'
import {
  type Attempt,
  type Counters,
  type EntryKind,
  JOB_STATUSES,
  type JsonObject,
  type Labels,
  type Sample,
  type Stage,
} from '../jobs/job.ts'
import type { LogLine } from '../jobs/log-line.ts'

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
    counters: text({ mode: 'json' }).$type<Counters>().notNull().default({}),
    countersNotKept: integer('counters_not_kept').notNull().default(0),
    failedItems: integer('failed_items').notNull(),
    warnedItems: integer('warned_items').notNull(),
    errorCount: integer('error_count').notNull(),
    warningCount: integer('warning_count').notNull(),
    keptErrors: integer('kept_errors').notNull(),
    keptWarnings: integer('kept_warnings').notNull(),
    entryBytes: integer('entry_bytes').notNull().default(0),
    keptEntities: integer('kept_entities').notNull().default(0),
    entityBytes: integer('entity_bytes').notNull().default(0),
    entitiesNotKept: integer('entities_not_kept').notNull().default(0),
    metadata: text({ mode: 'json' }).$type<JsonObject>().notNull(),
    labels: text({ mode: 'json' }).$type<Labels>().notNull().default({}),
    parentJobId: text('parent_job_id'),
    triggeredBy: text('triggered_by'),
    errorMessage: text('error_message'),
    createdAt: integer('created_at').notNull(),
    startedAt: integer('started_at'),
    completedAt: integer('completed_at'),
    finalReportUntil: integer('final_report_until'),
    updatedAt: integer('updated_at').notNull(),
    stallAfterSeconds: integer('stall_after_seconds'),
    stalledAt: integer('stalled_at'),
    startWithinSeconds: integer('start_within_seconds'),
    finishWithinSeconds: integer('finish_within_seconds'),
    lateAt: integer('late_at'),
    callbackUrl: text('callback_url'),
    attempts: text({ mode: 'json' }).$type<Attempt[]>().notNull(),
    nextDeliveryAt: integer('next_delivery_at'),
    stages: text({ mode: 'json' }).$type<Stage[]>().notNull(),
    pace: text({ mode: 'json' }).$type<Sample[]>().notNull(),
    createFingerprint: text('create_fingerprint'),
    /** Together the fence: a record lands only if these are lower than its own. */
    epoch: integer().notNull().default(0),
    revision: integer().notNull(),
  },
  (job) => [
    primaryKey({ columns: [job.organizationId, job.jobId] }),
    // One index per filter of a list, each with the status: a list queries the newest jobs of each status it wants, so
    // these serve every combination. No column that every report changes is indexed: that would double the rows
    // written.
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
    index('jobs_by_parent')
      .on(job.organizationId, job.parentJobId, job.createdAt, job.jobId)
      .where(sql`parent_job_id is not null`),
    index('jobs_late')
      .on(job.organizationId, job.status, job.createdAt, job.jobId)
      .where(sql`late_at is not null`),
    // Across organizations, for deleting old finished jobs.
    index('jobs_finished').on(job.completedAt).where(sql`completed_at is not null`),
  ],
)

/**
 * What each job is found by, with A to Z in lower case: its type, its labels, and the ids in its metadata by which jobs are
 * linked. `store/job-terms.ts` says how each is written. Triggers of `jobs` keep it, so it is exact whatever is written,
 * repeated, moved or deleted, and a report costs no row more unless its links change. The migration makes them, and the
 * table WITHOUT ROWID.
 */
export const jobTerms = sqliteTable(
  'job_terms',
  {
    organizationId: text('organization_id').notNull(),
    term: text().notNull(),
    createdAt: integer('created_at').notNull(),
    jobId: text('job_id').notNull(),
  },
  (found) => [primaryKey({ columns: [found.organizationId, found.term, found.createdAt, found.jobId] })],
)

/**
 * The errors and warnings of the jobs, in the order they were reported. The migration makes the table WITHOUT ROWID,
 * which Drizzle cannot express: an entry then costs one row written instead of two.
 */
export const jobEntries = sqliteTable(
  'job_entries',
  {
    organizationId: text('organization_id').notNull(),
    jobId: text('job_id').notNull(),
    kind: text().$type<EntryKind>().notNull(),
    seq: integer().notNull(),
    /** The entry as published JSON. */
    text: text().notNull(),
  },
  (entry) => [
    primaryKey({ columns: [entry.organizationId, entry.jobId, entry.kind, entry.seq] }),
    // The newest entries about an entity. It is on the entry's own text, so no column repeats it: an entry costs this one
    // row more.
    index('job_entries_by_entity').on(
      entry.organizationId,
      sql`"text" ->> 'entity_type'`,
      sql`"text" ->> 'entity_key'`,
      sql`"text" ->> 'timestamp'`,
      entry.jobId,
      entry.kind,
      entry.seq,
    ),
  ],
)

/** What `job_entries_by_entity` is on. SQLite uses it only for these very expressions. */
export const entryEntity = {
  type: sql<string>`${jobEntries.text} ->> 'entity_type'`,
  key: sql<string>`${jobEntries.text} ->> 'entity_key'`,
  timestamp: sql<string>`${jobEntries.text} ->> 'timestamp'`,
}

/**
 * The number of entries of each error type in an archived job, the most frequent first. The job's object counted them.
 * WITHOUT ROWID, as above.
 */
export const jobEntryGroups = sqliteTable(
  'job_entry_groups',
  {
    organizationId: text('organization_id').notNull(),
    jobId: text('job_id').notNull(),
    kind: text().$type<EntryKind>().notNull(),
    /** 1 for the most frequent, then 2, 3, … */
    rank: integer().notNull(),
    errorType: text('error_type').notNull(),
    count: integer().notNull(),
    /** Of its first and its last entry. Null if an earlier version counted: it is then counted again when asked for. */
    firstSeq: integer('first_seq'),
    lastSeq: integer('last_seq'),
  },
  (group) => [primaryKey({ columns: [group.organizationId, group.jobId, group.kind, group.rank] })],
)

/** The newest messages of an archived job, and how it went: one row, so archiving a job with 200 messages costs no more. */
export const jobLogs = sqliteTable(
  'job_logs',
  {
    organizationId: text('organization_id').notNull(),
    jobId: text('job_id').notNull(),
    /** Oldest first. */
    messages: text({ mode: 'json' }).$type<LogLine[]>().notNull(),
    history: text({ mode: 'json' }).$type<PackedHistory>().notNull(),
  },
  (log) => [primaryKey({ columns: [log.organizationId, log.jobId] })],
)

/** The replies to keyed reports on archived jobs, for repeats of those reports. WITHOUT ROWID, as above. */
export const idempotentReplies = sqliteTable(
  'idempotent_replies',
  {
    organizationId: text('organization_id').notNull(),
    jobId: text('job_id').notNull(),
    requestKey: text('request_key').notNull(),
    fingerprint: text().notNull(),
    asOf: integer('as_of').notNull(),
    /** The job as the reply showed it; null: a repeat shows the job as it is now. */
    job: text({ mode: 'json' }).$type<StoredJob>(),
  },
  (reply) => [primaryKey({ columns: [reply.organizationId, reply.jobId, reply.requestKey] })],
)

/**
 * What each organization has in `jobs`. Triggers of that table keep it, so it is exact whatever is written, repeated or
 * deleted, and an ordinary report costs no row more. The migration makes them, and the table WITHOUT ROWID.
 */
export const organizationUsage = sqliteTable('organization_usage', {
  organizationId: text('organization_id').primaryKey(),
  /** Jobs that are not finished. */
  liveJobs: integer('live_jobs').notNull(),
  jobs: integer().notNull(),
  /** The sum of `jobs.entry_bytes`. */
  entryBytes: integer('entry_bytes').notNull(),
})

/**
 * How many jobs of each type ended in each hour, and how. Triggers of `jobs` keep it, so it equals a count of the jobs
 * whatever is written, repeated or replaced. A job that retention deletes stays counted. The migration makes the triggers,
 * and the table WITHOUT ROWID.
 */
export const jobStats = sqliteTable(
  'job_stats',
  {
    organizationId: text('organization_id').notNull(),
    /** Its beginning, in ms since the epoch. */
    hour: integer().notNull(),
    jobType: text('job_type').notNull(),
    status: text({ enum: JOB_STATUSES }).notNull(),
    jobs: integer().notNull(),
    /** How many of these are no longer in `jobs` of this database: a move carries them, since it copies the others. */
    deleted: integer().notNull().default(0),
    /** How many of those a move has brought: see `move/copy-stats.ts`. */
    carried: integer().notNull().default(0),
  },
  (stats) => [
    primaryKey({ columns: [stats.organizationId, stats.hour, stats.jobType, stats.status] }),
    index('job_stats_by_type').on(stats.organizationId, stats.jobType, stats.hour, stats.status),
    // Across organizations, for deleting what is too old.
    index('job_stats_by_hour').on(stats.hour),
  ],
)

/**
 * The errors and warnings of the jobs that finished in each hour, by type. Triggers of `jobs` add those of a job as it
 * finishes, once, whatever is repeated. They look at its first 500 entries of each kind, so a large job costs no more;
 * `more` has the others. The migration makes them, and the table WITHOUT ROWID. The hour comes first for the clean-up.
 */
export const errorTypeHours = sqliteTable(
  'error_type_hours',
  {
    /** Hours since the epoch. */
    hour: integer().notNull(),
    organizationId: text('organization_id').notNull(),
    kind: text().$type<EntryKind>().notNull(),
    /** Whether these are the entries of jobs whose types were not looked at; then `errorType` is empty. */
    more: integer({ mode: 'boolean' }).notNull(),
    /** Cut to 200 characters. */
    errorType: text('error_type').notNull(),
    entries: integer().notNull(),
    /** Jobs with such entries. */
    jobs: integer().notNull(),
  },
  (hours) => [
    primaryKey({
      columns: [hours.hour, hours.organizationId, hours.kind, hours.more, hours.errorType],
    }),
  ],
)

/** The secrets that sign each organization's webhooks. */
export const webhookSecrets = sqliteTable('webhook_secrets', {
  organizationId: text('organization_id').primaryKey(),
  /** In the format of the Standard Webhooks scheme: `whsec_` and base64. */
  secret: text().notNull(),
  createdAt: integer('created_at').notNull(),
})

/** Server API keys. Only the SHA-256 of a key is stored, never the key. */
export const apiKeys = sqliteTable('api_keys', {
  /** SHA-256 of the whole key, 64 hexadecimal digits. */
  keyHash: text('key_hash').primaryKey(),
  /** How operators refer to the key. Not secret. */
  keyId: text('key_id').notNull().unique(),
  /** At least one. Not indexed: only operators search by it, and rarely. */
  organizationIds: text('organization_ids', { mode: 'json' }).$type<string[]>().notNull(),
  name: text().notNull(),
  permissions: text({ mode: 'json' }).$type<string[]>().notNull(),
  createdAt: integer('created_at').notNull(),
  expiresAt: integer('expires_at'),
  revokedAt: integer('revoked_at'),
  /** Accurate to the hour. */
  lastUsedAt: integer('last_used_at'),
  /** When it was rotated; `expiresAt` is then the end of its grace period. */
  rotatedAt: integer('rotated_at'),
})

/** How far the move of an organization to another database has come: see `move/move-organization.ts`. */
export const MOVE_PHASES = ['copying', 'closed', 'switched', 'clearing'] as const

/** The directory: which database has the jobs of an organization. Only `DB` has rows. No row means `UNPLACED`. */
export const organizations = sqliteTable('organizations', {
  organizationId: text('organization_id').primaryKey(),
  /** The name of a binding. */
  database: text().notNull(),
  /** Grows with each move. */
  version: integer().notNull().default(1),
  placedAt: integer('placed_at').notNull(),
  /** Null unless a move is under way. */
  phase: text({ enum: MOVE_PHASES }),
  /** The two ends of the move under way. */
  movingFrom: text('moving_from'),
  movingTo: text('moving_to'),
  /** When a move last changed `database`. */
  switchedAt: integer('switched_at'),
})

/**
 * The organizations that have left this database, and where they went. Triggers, made by the migration, skip every insert
 * and update of their rows in the tables of jobs.
 */
export const departures = sqliteTable('departures', {
  organizationId: text('organization_id').primaryKey(),
  database: text().notNull(),
  version: integer().notNull(),
  /** Whether the other database has everything that was here. */
  isWhole: integer('is_whole', { mode: 'boolean' }).notNull(),
})
