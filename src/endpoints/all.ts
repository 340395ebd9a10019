import type { Endpoint } from '../http/endpoint.ts'
import { cancelJob } from './cancel-job.ts'
import { createJob } from './create-job.ts'
import { getHistory } from './get-history.ts'
import { getJob } from './get-job.ts'
import { getJobStatus } from './get-job-status.ts'
import { getStats } from './get-stats.ts'
import { getUsage } from './get-usage.ts'
import { groupEntries } from './group-entries.ts'
import { groupErrors } from './group-errors.ts'
import { healthz } from './healthz.ts'
import { listChildren } from './list-children.ts'
import { listDeliveries } from './list-deliveries.ts'
import { listEntityEntries } from './list-entity-entries.ts'
import { listErrors, listWarnings } from './list-entries.ts'
import { listJobTypes } from './list-job-types.ts'
import { listJobs } from './list-jobs.ts'
import { listMessages } from './list-messages.ts'
import { openapi } from './openapi.ts'
import { reportProgress } from './report-progress.ts'
import { watchJob } from './watch-job.ts'

/** Every endpoint of the API. The app serves them, /openapi.json describes them, and the security tests call them. */
export const endpoints: readonly Endpoint[] = [
  createJob,
  listJobs,
  reportProgress,
  getJob,
  getJobStatus,
  cancelJob,
  watchJob,
  listChildren,
  listErrors,
  listWarnings,
  groupEntries,
  listMessages,
  getHistory,
  listDeliveries,
  listEntityEntries,
  getStats,
  listJobTypes,
  groupErrors,
  getUsage,
  healthz,
  openapi(() => endpoints),
]
