import type { JobSummary } from '../job.ts'
import type { Command } from './command.ts'
import { summarize } from './describe-job.ts'
import { EXIT, exitCodeOfStatus, isTimeout } from './exit-code.ts'
import { followJob } from './follow-job.ts'
import { openClient } from './open-client.ts'
import { say, sayJson, warn } from './output.ts'
import { CONNECTION_HELP, CONNECTION_OPTIONS, readArgs, toMilliseconds } from './read-args.ts'
import { showProgress } from './show-progress.ts'
import { spaced } from './spaced.ts'

const DEFAULT_TIMEOUT_SECONDS = '900'
const LEAST_POLL_MS = 2_000

export const watch: Command = {
  summary: 'follow a job until it is finished',
  help: `Usage: milepost watch [OPTIONS] JOB_ID

Follows a job until it is finished, and prints a summary. On a terminal it draws a progress bar, otherwise a line now and then.
The exit code tells how the job ended: 0 completed (with or without warnings), 5 any other end, 7 not finished in time.

  --interval SECONDS   the least time between two states that are shown (default: 2 for lines, 0 on a terminal or with --json,
                       which is as fast as the API sends them); also how often to ask, but not under 2 s, where the event
                       stream does not come through
  --timeout SECONDS    how long to watch (default: ${DEFAULT_TIMEOUT_SECONDS})
  --json               print each state on stdout, as one line of JSON${CONNECTION_HELP}`,

  async run(args) {
    const options = {
      ...CONNECTION_OPTIONS,
      interval: { type: 'string' },
      timeout: { type: 'string' },
      json: { type: 'boolean' },
    } as const
    const { values, positionals } = readArgs(args, options, ['JOB_ID'])
    const [jobId = ''] = positionals
    const timeoutMs = toMilliseconds('--timeout', values.timeout ?? DEFAULT_TIMEOUT_SECONDS)
    const { jobs } = openClient(values)

    const view = values.json ? undefined : showProgress(process.stderr, process.env)
    const intervalMs =
      values.interval === undefined ? (view?.intervalMs ?? 0) : toMilliseconds('--interval', values.interval)
    const states = spaced(intervalMs, (job: JobSummary) => (view ? view.show(job) : sayJson(job)))
    let latest: JobSummary | undefined
    const follow = async () => {
      const signal = AbortSignal.timeout(timeoutMs)
      const pollMs = Math.max(LEAST_POLL_MS, intervalMs)
      try {
        for await (latest of followJob(jobs, jobId, { pollMs, signal })) states.add(latest)
      } finally {
        states.flush()
        view?.end()
      }
    }
    try {
      await follow()
    } catch (error) {
      if (!isTimeout(error)) throw error
      warn(`${latest ? `The job is still ${latest.status}` : 'No answer'} after ${timeoutMs / 1_000} s`)
      return EXIT.unavailable
    }
    if (latest === undefined) return EXIT.unexpected
    if (view) say(summarize(latest))
    return exitCodeOfStatus(latest.status)
  },
}
