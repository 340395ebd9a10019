import type { ErrorGroup } from '../job.ts'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { formatCount } from './format.ts'
import { openClient } from './open-client.ts'
import { say, sayJson } from './output.ts'
import { CONNECTION_HELP, CONNECTION_OPTIONS, readArgs } from './read-args.ts'
import { readTimeout, TIMEOUT_HELP, TIMEOUT_OPTION } from './request-timeout.ts'
import { toTable } from './table.ts'

export const types: Command = {
  summary: 'count error types across jobs',
  help: `Usage: milepost types [OPTIONS]

Counts the errors and warnings of the jobs that finished in a period by type, beside those of the period before.

  --since TIME         when it begins, an ISO 8601 date or time (default: a day before its end)
  --until TIME         when it ends (default: now); at most 31 days later
  --json               print the counts on stdout, as one line of JSON
${TIMEOUT_HELP}${CONNECTION_HELP}`,

  async run(args) {
    const { values } = readArgs(args, {
      ...CONNECTION_OPTIONS,
      ...TIMEOUT_OPTION,
      since: { type: 'string' },
      until: { type: 'string' },
      json: { type: 'boolean' },
    })
    const { since, until } = values
    const period = { ...(since !== undefined && { since }), ...(until !== undefined && { until }) }
    const found = await openClient(values).jobs.errorGroups(period, readTimeout(values.timeout))
    if (values.json) sayJson(found)
    else say(describe([...found.errors.map(rowOf('error')), ...found.warnings.map(rowOf('warning'))]))
    return EXIT.ok
  },
}

const rowOf = (kind: string) => (group: ErrorGroup) => [
  kind,
  group.errorType,
  formatCount(group.entries),
  formatCount(group.jobs),
  formatCount(group.previousEntries),
  formatCount(group.previousJobs),
]

function describe(rows: string[][]): string {
  if (rows.length === 0) return 'No errors or warnings'
  return toTable([['KIND', 'TYPE', 'ENTRIES', 'JOBS', 'BEFORE', 'JOBS BEFORE'], ...rows])
}
