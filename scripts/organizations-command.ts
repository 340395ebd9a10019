import { parseArgs } from 'node:util'
import { DATABASE_NAMES } from '../src/store/databases.ts'
import { UsageError } from './keys-command.ts'

export const USAGE = `Usage:
  npm run --silent organizations -- list  --local|--remote [--org ORG]
  npm run --silent organizations -- place --local|--remote --org ORG --to DB
  npm run --silent organizations -- move  --local|--remote --org ORG --to DB [--settle-seconds N]

  --local             use the databases of \`npm start\` on this machine, whether it is running or not
  --remote            use the deployed databases, through wrangler
  --to DB             the binding of a database: DB, DB_2, …
  --settle-seconds N  how long move keeps the old rows after the switch (default 90)
  --persist-to DIR    with --local: the state folder, if you gave one to \`npm start\`

list shows the databases, or where one organization lives.
place says where an organization lives that has no jobs yet. move brings one with all its jobs to another database, while
they are being reported on. If it is interrupted, repeat it: it goes on from there.
`

export type OrganizationsCommand =
  | { verb: 'list'; organizationId: string | undefined }
  | { verb: 'place'; organizationId: string; to: string }
  | { verb: 'move'; organizationId: string; to: string; settleMs: number }

type Place = { where: 'local'; persistTo: string | undefined } | { where: 'remote' }

/** Parses the arguments into a command and the databases that it is about. Throws a UsageError. */
export function readOrganizationsCommand(args: string[]): { command: OrganizationsCommand; place: Place } {
  const { values, positionals } = parse(args)
  const [verb, ...rest] = positionals
  if (rest.length > 0) throw new UsageError(`Unexpected argument: ${rest.join(' ')}`)
  if (values.local === values.remote) throw new UsageError('Pass either --local or --remote')
  if (values.remote && values['persist-to'] !== undefined) throw new UsageError('--persist-to needs --local')
  const place: Place = values.remote
    ? { where: 'remote' }
    : { where: 'local', persistTo: values['persist-to'] }
  const { org: organizationId, to, 'settle-seconds': settle } = values
  if (organizationId !== undefined && !/^[\x21-\x7e]{1,128}$/.test(organizationId))
    throw new UsageError('--org takes 1 to 128 printable ASCII characters, without spaces')
  if (to !== undefined && verb === 'list') throw new UsageError('This command does not take --to')
  if (settle !== undefined && verb !== 'move')
    throw new UsageError('This command does not take --settle-seconds')
  if (settle !== undefined && !/^\d{1,5}$/.test(settle))
    throw new UsageError('--settle-seconds takes a whole number of seconds')
  if (verb === 'list') return { command: { verb, organizationId }, place }
  if (verb !== 'place' && verb !== 'move')
    throw new UsageError(verb === undefined ? 'Pass a command' : `Unknown command: ${verb}`)
  if (organizationId === undefined) throw new UsageError('--org takes the organization')
  if (to === undefined || !(DATABASE_NAMES as readonly string[]).includes(to))
    throw new UsageError(`--to takes one of ${DATABASE_NAMES.join(', ')}`)
  if (verb === 'place') return { command: { verb, organizationId, to }, place }
  return { command: { verb, organizationId, to, settleMs: Number(settle ?? '90') * 1_000 }, place }
}

function parse(args: string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        local: { type: 'boolean' },
        remote: { type: 'boolean' },
        org: text,
        to: text,
        'settle-seconds': text,
        'persist-to': text,
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
