/**
 * The job of the examples: the example of `create_job` creates it, and the example of `report_job_progress` reports on it.
 * All values but IDs, times and durations are what the edge answers: test/edge/examples.test.ts replays each example.
 */

const created = {
  job_id: 'job_019ac4d1e2f07b3c9a5d8e6f41b20c73',
  job_type: 'import',
  status: 'pending',
  total_items: 3201,
  processed_items: 0,
  counters: {},
  counters_not_kept: 0,
  failed_items: 0,
  warned_items: 0,
  progress_percentage: 0,
  success_rate: 0,
  created_at: '2026-11-27T10:00:00.000Z',
  started_at: null,
  completed_at: null,
  duration_seconds: null,
  eta_seconds: null,
  rate_per_second: null,
  stall_after_seconds: 300,
  stalled_at: null,
  start_within_seconds: null,
  finish_within_seconds: 3600,
  late_at: null,
  triggered_by: 'nightly',
  callback_url: null,
  error_message: null,
  error_count: 0,
  warning_count: 0,
  entry_bytes: 0,
  entries_not_kept: 0,
  entities_not_kept: 0,
  labels: { supplier: 'acme' },
  parent_job_id: null,
  stages: [],
  metadata: {},
}

export const CREATED_JOB = { ...created, errors: [], warnings: [] }

/** A child of the job, created by the same request but for its parent. */
export const CHILD_SUMMARY = {
  ...created,
  job_id: 'job_019ac4d1f3a87d10b6c2e94a7f05d318',
  parent_job_id: created.job_id,
}

/** After the report, without its errors and warnings. */
export const REPORTED_SUMMARY = {
  ...created,
  status: 'in_progress',
  processed_items: 1200,
  counters: { created: 40 },
  failed_items: 1,
  warned_items: 1,
  progress_percentage: 37.52,
  success_rate: 99.92,
  started_at: '2026-11-27T10:00:02.000Z',
  duration_seconds: 0,
  error_count: 1,
  warning_count: 1,
  entry_bytes: 314,
  stages: [{ stage: 'uploading', started_at: '2026-11-27T10:00:02.000Z' }],
  metadata: { stage: 'uploading', last_message: 'Rows 1 to 1,200' },
}

/** The message of the report. */
export const REPORTED_MESSAGE = { seq: 1, timestamp: '2026-11-27T10:00:02.000Z', message: 'Rows 1 to 1,200' }

export const REPORTED_ERROR = {
  entity_key: 'sku-7',
  entity_type: 'product',
  error_type: 'no_price',
  message: 'No price',
  timestamp: '2026-11-27T10:00:02.000Z',
  step: null,
  details: null,
}

export const REPORTED_WARNING = {
  ...REPORTED_ERROR,
  entity_key: 'sku-3',
  error_type: 'no_image',
  message: 'No image',
}

export const REPORTED_JOB = {
  ...REPORTED_SUMMARY,
  errors: [REPORTED_ERROR],
  warnings: [REPORTED_WARNING],
}
