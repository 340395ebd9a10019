import type { Command } from './command.ts'
import { describeJob } from './describe-job.ts'
import { EXIT } from './exit-code.ts'
import { openClient } from './open-client.ts'
import { say, sayJson } from './output.ts'
import { CONNECTION_HELP, CONNECTION_OPTIONS, readArgs } from './read-args.ts'
import { readTimeout, TIMEOUT_HELP, TIMEOUT_OPTION } from './request-timeout.ts'

export const get: Command = {
  summary: 'show a job',
  help: `Usage: milepost get [OPTIONS] JOB_ID

Shows a job. The exit code is 0 however the job stands; "milepost watch" has one for each end.

  --json               print the job on stdout, as one line of JSON
${TIMEOUT_HELP}${CONNECTION_HELP}`,

  async run(args) {
    const options = { ...CONNECTION_OPTIONS, ...TIMEOUT_OPTION, json: { type: 'boolean' } } as const
    const { values, positionals } = readArgs(args, options, ['JOB_ID'])
    const timeout = readTimeout(values.timeout)
    const [jobId = ''] = positionals
    const job = await openClient(values).jobs.get(jobId, timeout)
    if (values.json) sayJson(job)
    else say(describeJob(job))
    return EXIT.ok
  },
}
