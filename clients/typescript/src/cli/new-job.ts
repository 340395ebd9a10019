import type { NewJob } from '../job.ts'
import { toNumber } from './read-args.ts'
import { UsageError } from './usage-error.ts'

/** The options that describe a new job. */
export const NEW_JOB_OPTIONS = {
  type: { type: 'string' },
  total: { type: 'string' },
  name: { type: 'string' },
  metadata: { type: 'string', multiple: true },
  label: { type: 'string', multiple: true },
  parent: { type: 'string' },
  'triggered-by': { type: 'string' },
  'start-within': { type: 'string' },
  'finish-within': { type: 'string' },
  'stall-after': { type: 'string' },
  'callback-url': { type: 'string' },
} as const

export const NEW_JOB_HELP = `  --total N            how many items there are (default: 0, not known yet)
  --name TEXT          kept as the metadata "name"
  --metadata KEY=TEXT  kept with the job; may be repeated
  --label NAME=VALUE   what to find the job by; may be repeated
  --parent JOB_ID      the job that it is a part of
  --triggered-by TEXT  who or what started the job
  --callback-url URL   where to post the finished job
  --start-within SECONDS
                       flag the job as late when it has not started by then: 10 to 2,592,000
  --finish-within SECONDS
                       the same when it has not finished
  --stall-after SECONDS
                       flag the job as stalled when it is silent for longer: 10 to 86,400`

interface NewJobArgs {
  total?: string | undefined
  name?: string | undefined
  metadata?: string[] | undefined
  label?: string[] | undefined
  parent?: string | undefined
  'triggered-by'?: string | undefined
  'start-within'?: string | undefined
  'finish-within'?: string | undefined
  'stall-after'?: string | undefined
  'callback-url'?: string | undefined
}

/** Reads these options. Throws a UsageError for what cannot be read; bounds are for the API to check. */
export function readNewJob(jobType: string, args: NewJobArgs): NewJob {
  const metadata = Object.fromEntries([
    ...(args.name === undefined ? [] : [['name', args.name]]),
    ...(args.metadata ?? []).map((pair) => readPair('--metadata KEY=TEXT', pair)),
  ])
  const labels = Object.fromEntries((args.label ?? []).map((pair) => readPair('--label NAME=VALUE', pair)))
  const { 'triggered-by': triggeredBy, 'callback-url': callbackUrl } = args
  return {
    jobType,
    totalItems: toNumber('--total', args.total ?? '0', { isWhole: true }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
    ...(args.label !== undefined && { labels }),
    ...(args.parent !== undefined && { parentJobId: args.parent }),
    ...(triggeredBy !== undefined && { triggeredBy }),
    ...readSeconds('startWithinSeconds', '--start-within', args['start-within']),
    ...readSeconds('finishWithinSeconds', '--finish-within', args['finish-within']),
    ...readSeconds('stallAfterSeconds', '--stall-after', args['stall-after']),
    ...(callbackUrl !== undefined && { callbackUrl }),
  }
}

function readSeconds<Name extends string>(name: Name, option: string, text: string | undefined) {
  return text === undefined ? {} : { [name]: toNumber(option, text, { isWhole: true }) }
}

/** Reads what follows an option, as `usage` has it. Throws a UsageError. */
export function readPair(usage: string, pair: string): [string, string] {
  const at = pair.indexOf('=')
  if (at < 1) throw new UsageError(`${usage.replace(' ', ' should be ')}, not ${pair}`)
  return [pair.slice(0, at), pair.slice(at + 1)]
}
