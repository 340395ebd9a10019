import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { openClient } from './open-client.ts'
import { say, sayJson } from './output.ts'
import { printable } from './printable.ts'
import { CONNECTION_HELP, CONNECTION_OPTIONS, readArgs, toNumber } from './read-args.ts'
import { readTimeout, TIMEOUT_HELP, TIMEOUT_OPTION } from './request-timeout.ts'
import { take } from './take.ts'

/** Entries per page that the API gives. */
const MAX_PAGE = 200

export const entity: Command = {
  summary: 'list the errors and warnings about an entity, newest first',
  help: `Usage: milepost entity [OPTIONS] TYPE KEY

Lists the errors and warnings that any job has reported about an entity, such as "product sku-7", newest first.

  --limit N            at most so many (default: 20)
  --json               print them on stdout, each as one line of JSON
${TIMEOUT_HELP}${CONNECTION_HELP}`,

  async run(args) {
    const options = {
      ...CONNECTION_OPTIONS,
      ...TIMEOUT_OPTION,
      limit: { type: 'string' },
      json: { type: 'boolean' },
    } as const
    const { values, positionals } = readArgs(args, options, ['TYPE', 'KEY'])
    const timeout = readTimeout(values.timeout)
    const limit = toNumber('--limit', values.limit ?? '20', { least: 1, isWhole: true })
    const [type = '', key = ''] = positionals
    const page = { pageSize: Math.min(limit, MAX_PAGE) }
    let isAny = false
    for await (const entry of take(limit, openClient(values).jobs.entityEntries(type, key, page, timeout))) {
      isAny = true
      if (values.json) sayJson(entry)
      else {
        const { timestamp, kind, jobType, jobId, errorType, message } = entry
        say(printable(`${timestamp}  ${kind}  ${jobType} ${jobId}  ${errorType}  ${message}`))
      }
    }
    if (!isAny && !values.json) say(`No errors or warnings about ${printable(`${type} ${key}`)}`)
    return EXIT.ok
  },
}
