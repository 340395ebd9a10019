import type { JobStatus, JobSummary } from '../job.ts'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { formatCount } from './format.ts'
import { readPair } from './new-job.ts'
import { openClient } from './open-client.ts'
import { say, sayJson } from './output.ts'
import { CONNECTION_HELP, CONNECTION_OPTIONS, readArgs, toNumber } from './read-args.ts'
import { readTimeout, TIMEOUT_HELP, TIMEOUT_OPTION } from './request-timeout.ts'
import { toTable } from './table.ts'
import { take } from './take.ts'

/** Jobs per page that the API gives. */
const MAX_PAGE = 200

export const list: Command = {
  summary: 'list jobs, newest first',
  help: `Usage: milepost list [OPTIONS]

Lists jobs, newest first.

  --status STATUS      only jobs of this status; may be repeated
  --type TYPE          only jobs of this type
  --triggered-by TEXT  only jobs that this started
  --stalled            only running jobs that are flagged as stalled
  --late               only jobs that have missed a deadline
  --label NAME=VALUE   only jobs with this label; may be repeated: with all of them
  --search TEXT        only jobs that this is the beginning of: their ID, their type or the value of a label
  --oldest             list the oldest first
  --limit N            at most so many jobs (default: 20)
  --json               print them on stdout, each as one line of JSON
${TIMEOUT_HELP}${CONNECTION_HELP}`,

  async run(args) {
    const { values } = readArgs(args, {
      ...CONNECTION_OPTIONS,
      ...TIMEOUT_OPTION,
      status: { type: 'string', multiple: true },
      type: { type: 'string' },
      'triggered-by': { type: 'string' },
      stalled: { type: 'boolean' },
      late: { type: 'boolean' },
      label: { type: 'string', multiple: true },
      search: { type: 'string' },
      oldest: { type: 'boolean' },
      limit: { type: 'string' },
      json: { type: 'boolean' },
    })
    const timeout = readTimeout(values.timeout)
    const limit = toNumber('--limit', values.limit ?? '20', { least: 1, isWhole: true })
    const filter = {
      // Whether there is such a status is for the API to say.
      ...(values.status && { status: values.status as JobStatus[] }),
      ...(values.type !== undefined && { jobType: values.type }),
      ...(values['triggered-by'] !== undefined && { triggeredBy: values['triggered-by'] }),
      ...(values.stalled && { stalled: true }),
      ...(values.late && { late: true }),
      ...(values.label && {
        labels: Object.fromEntries(values.label.map((pair) => readPair('--label NAME=VALUE', pair))),
      }),
      ...(values.search !== undefined && { search: values.search }),
      ...(values.oldest && { sort: 'oldest' as const }),
      ...(!values.json && { metadata: false }),
      pageSize: Math.min(limit, MAX_PAGE),
    }
    const jobs = take(limit, openClient(values).jobs.list(filter, timeout))
    const found: JobSummary[] = []
    for await (const job of jobs)
      if (values.json) sayJson(job)
      else found.push(job)
    if (!values.json) say(toJobTable(found))
    return EXIT.ok
  },
}

function toJobTable(jobs: JobSummary[]): string {
  if (jobs.length === 0) return 'No jobs'
  const heading = ['JOB', 'TYPE', 'STATUS', 'DONE', 'FAILED', 'ERRORS', 'WARNINGS', 'CREATED']
  const rows = jobs.map((job) => [
    job.jobId,
    job.jobType,
    [job.status, job.stalledAt && 'stalled', job.lateAt && 'late'].filter(Boolean).join(', '),
    `${formatCount(job.processedItems)}/${formatCount(job.totalItems)}`,
    formatCount(job.failedItems),
    formatCount(job.errorCount),
    formatCount(job.warningCount),
    // To the second.
    (job.createdAt ?? '').replace(/\.\d+Z$/, 'Z'),
  ])
  return toTable([heading, ...rows])
}
