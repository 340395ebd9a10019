import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { openClient } from './open-client.ts'
import { say, sayJson, writeOut } from './output.ts'
import { printable } from './printable.ts'
import { CONNECTION_HELP, CONNECTION_OPTIONS, readArgs, toNumber } from './read-args.ts'
import { readTimeout, TIMEOUT_HELP, TIMEOUT_OPTION } from './request-timeout.ts'
import { take } from './take.ts'
import { UsageError } from './usage-error.ts'

/** Entries per page that the API gives. */
const MAX_PAGE = 1_000

/** The command `errors`, or `warnings`. */
export function entries(kind: 'errors' | 'warnings'): Command {
  return {
    summary: `list the ${kind} of a job, oldest first`,
    help: `Usage: milepost ${kind} [OPTIONS] JOB_ID

Lists the ${kind} of a job, oldest first.

  --type TYPE          only those of this error type
  --limit N            at most so many (default: all)
  --json               print them on stdout, each as one line of JSON
  --csv                print all of them on stdout as a CSV file, for a spreadsheet
${TIMEOUT_HELP}${CONNECTION_HELP}`,

    async run(args) {
      const options = {
        ...CONNECTION_OPTIONS,
        ...TIMEOUT_OPTION,
        type: { type: 'string' },
        limit: { type: 'string' },
        json: { type: 'boolean' },
        csv: { type: 'boolean' },
      } as const
      const { values, positionals } = readArgs(args, options, ['JOB_ID'])
      const timeout = readTimeout(values.timeout)
      const limit =
        values.limit === undefined
          ? Number.POSITIVE_INFINITY
          : toNumber('--limit', values.limit, { least: 1, isWhole: true })
      const [jobId = ''] = positionals
      const ofType = { ...(values.type !== undefined && { errorType: values.type }) }
      const { jobs } = openClient(values)
      if (values.csv) {
        if (values.json || values.limit !== undefined)
          throw new UsageError('--csv goes with neither --json nor --limit')
        const file = kind === 'errors' ? jobs.errorsAsCsv : jobs.warningsAsCsv
        for await (const part of file.call(jobs, jobId, ofType, timeout)) await writeOut(part)
        return EXIT.ok
      }
      const filter = { ...ofType, pageSize: Math.min(limit, MAX_PAGE) }
      const found = take(limit, jobs[kind](jobId, filter, timeout))
      let isAny = false
      for await (const entry of found) {
        isAny = true
        if (values.json) sayJson(entry)
        else {
          const { timestamp, entityType, entityKey, errorType, message } = entry
          say(printable(`${timestamp}  ${entityType} ${entityKey}  ${errorType}  ${message}`))
        }
      }
      if (!isAny && !values.json) say(`No ${kind}`)
      return EXIT.ok
    },
  }
}
