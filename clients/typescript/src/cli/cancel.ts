import type { Command } from './command.ts'
import { summarize } from './describe-job.ts'
import { EXIT } from './exit-code.ts'
import { openClient } from './open-client.ts'
import { say, sayJson } from './output.ts'
import { CONNECTION_HELP, CONNECTION_OPTIONS, readArgs } from './read-args.ts'
import { readTimeout, TIMEOUT_HELP, TIMEOUT_OPTION } from './request-timeout.ts'

export const cancel: Command = {
  summary: 'cancel a job',
  help: `Usage: milepost cancel [OPTIONS] JOB_ID

Cancels a job that is not finished. Its worker is told with its next report; "milepost run" stops its command.

  --reason TEXT        kept as the job's error message
  --json               print the job on stdout, as one line of JSON
${TIMEOUT_HELP}${CONNECTION_HELP}`,

  async run(args) {
    const options = {
      ...CONNECTION_OPTIONS,
      ...TIMEOUT_OPTION,
      reason: { type: 'string' },
      json: { type: 'boolean' },
    } as const
    const { values, positionals } = readArgs(args, options, ['JOB_ID'])
    const timeout = readTimeout(values.timeout)
    const [jobId = ''] = positionals
    const job = await openClient(values).jobs.cancel(jobId, values.reason, timeout)
    if (values.json) sayJson(job)
    else say(summarize(job))
    return EXIT.ok
  },
}
