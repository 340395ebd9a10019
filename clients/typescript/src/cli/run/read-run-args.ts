import { basename } from 'node:path'
import type { NewJob } from '../../job.ts'
import { NEW_JOB_OPTIONS, readNewJob } from '../new-job.ts'
import { CONNECTION_OPTIONS, readArgs, toMilliseconds } from '../read-args.ts'
import { UsageError } from '../usage-error.ts'

export const RUN_DEFAULTS = {
  entityType: 'item',
  /** Seconds, all of them. */
  connectTimeout: '5',
  reportTimeout: '30',
  checkEvery: '5',
  grace: '10',
}

const OPTIONS = {
  ...CONNECTION_OPTIONS,
  ...NEW_JOB_OPTIONS,
  'job-id': { type: 'string' },
  'entity-type': { type: 'string' },
  'connect-timeout': { type: 'string' },
  'report-timeout': { type: 'string' },
  'check-every': { type: 'string' },
  grace: { type: 'string' },
} as const

/** Reads the arguments of `milepost run`. Throws a UsageError. */
export function readRunArgs(args: string[]) {
  const at = args.indexOf('--')
  const command = args.slice(at + 1)
  if (at === -1 || !command[0])
    throw new UsageError('The command is missing: milepost run [OPTIONS] -- COMMAND …')
  const { values } = readArgs(args.slice(0, at), OPTIONS)
  const { 'job-id': jobId } = values
  if (jobId !== undefined)
    for (const name of Object.keys(NEW_JOB_OPTIONS))
      if (values[name as keyof typeof NEW_JOB_OPTIONS] !== undefined)
        throw new UsageError(`--${name} is for a new job: it cannot be used with --job-id`)
  const newJob: NewJob = readNewJob(values.type ?? basename(command[0]), values)
  const milliseconds = (name: 'connect-timeout' | 'report-timeout' | 'check-every' | 'grace', or: string) =>
    toMilliseconds(`--${name}`, values[name] ?? or)
  return {
    command,
    connection: values,
    job: jobId === undefined ? newJob : { jobId },
    stallAfterSeconds: newJob.stallAfterSeconds,
    entityType: values['entity-type'] ?? RUN_DEFAULTS.entityType,
    connectTimeoutMs: milliseconds('connect-timeout', RUN_DEFAULTS.connectTimeout),
    reportTimeoutMs: milliseconds('report-timeout', RUN_DEFAULTS.reportTimeout),
    checkEveryMs: Math.max(100, milliseconds('check-every', RUN_DEFAULTS.checkEvery)),
    graceMs: milliseconds('grace', RUN_DEFAULTS.grace),
  }
}
