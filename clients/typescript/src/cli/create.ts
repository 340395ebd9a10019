import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { NEW_JOB_HELP, NEW_JOB_OPTIONS, readNewJob } from './new-job.ts'
import { openClient } from './open-client.ts'
import { sayJson } from './output.ts'
import { CONNECTION_HELP, CONNECTION_OPTIONS, readArgs } from './read-args.ts'
import { readTimeout, TIMEOUT_HELP, TIMEOUT_OPTION } from './request-timeout.ts'
import { UsageError } from './usage-error.ts'

export const create: Command = {
  summary: 'create a job',
  help: `Usage: milepost create --type TYPE [OPTIONS]

Creates a job and prints its ID on stdout, for instance to go on with "milepost run --job-id".

  --type TYPE          what kind of job it is
${NEW_JOB_HELP}
  --json               print the whole job, as one line of JSON
${TIMEOUT_HELP}${CONNECTION_HELP}`,

  async run(args) {
    const { values } = readArgs(args, {
      ...CONNECTION_OPTIONS,
      ...TIMEOUT_OPTION,
      ...NEW_JOB_OPTIONS,
      json: { type: 'boolean' },
    })
    if (values.type === undefined) throw new UsageError('--type is missing')
    const newJob = readNewJob(values.type, values)
    const timeout = readTimeout(values.timeout)
    const { jobId, latest } = await openClient(values).createJob(newJob, timeout)
    if (values.json && latest !== undefined) sayJson(latest)
    else process.stdout.write(`${jobId}\n`)
    return EXIT.ok
  },
}
