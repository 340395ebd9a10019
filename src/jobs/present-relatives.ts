import { JOB_STATUSES, type JobStatus } from './job.ts'

/** What presenting a family takes: see `findRelatives`. */
interface Family {
  children: {
    status: JobStatus
    count: number
    totalItems: number
    processedItems: number
    failedItems: number
  }[]
  hasMoreChildren: boolean
  linkedFrom: { jobId: string; jobType: string; status: JobStatus }[]
}

/** The relatives of a job as callers see them; nulls if they are not known now. */
export function presentRelatives(family: Family | undefined) {
  if (family === undefined) return { children: null, linked_from: null }
  const { children, hasMoreChildren, linkedFrom } = family
  const sumOf = (field: 'count' | 'totalItems' | 'processedItems' | 'failedItems') =>
    children.reduce((sum, child) => sum + child[field], 0)
  const counted = JOB_STATUSES.flatMap((status) =>
    children.filter((child) => child.status === status).map(({ count }) => [status, count]),
  )
  return {
    children: {
      count: sumOf('count'),
      is_exact: !hasMoreChildren,
      by_status: Object.fromEntries(counted) as Record<string, number>,
      total_items: sumOf('totalItems'),
      processed_items: sumOf('processedItems'),
      failed_items: sumOf('failedItems'),
    },
    linked_from: linkedFrom.map(({ jobId, jobType, status }) => ({
      job_id: jobId,
      job_type: jobType,
      status,
    })),
  }
}
