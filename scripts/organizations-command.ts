import { parseArgs } from 'node:util'
import { DATABASE_NAMES } from '../src/store/databases.ts'
import {
  checkOrganizationIds,
  PLACE_OPTIONS,
  type Place,
  readArguments,
  refuseOthers,
  refuseVerb,
  UsageError,
} from './operator-command.ts'

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
place chooses the database of an organization that has no jobs yet.
move takes an organization with all its jobs to another database, while they run. If it is interrupted, repeat it.
`

export type OrganizationsCommand =
  | { verb: 'list'; organizationId: string | undefined }
  | { verb: 'place'; organizationId: string; to: string }
  | { verb: 'move'; organizationId: string; to: string; settleMs: number }

/** Parses the arguments into a command and the databases that it uses. Throws a UsageError. */
export function readOrganizationsCommand(args: string[]): { command: OrganizationsCommand; place: Place } {
  const { values, verb, place } = readArguments(() => parse(args))
  const { org: organizationId, to, 'settle-seconds': settle = '90' } = values
  if (organizationId !== undefined) checkOrganizationIds([organizationId])
  switch (verb) {
    case 'list':
      refuseOthers(values, [])
      return { command: { verb, organizationId }, place }
    case 'place':
      refuseOthers(values, ['to'])
      return { command: { verb, ...readTarget(organizationId, to) }, place }
    case 'move':
      refuseOthers(values, ['to', 'settle-seconds'])
      if (!/^\d{1,5}$/.test(settle)) throw new UsageError('--settle-seconds takes a whole number of seconds')
      return {
        command: { verb, ...readTarget(organizationId, to), settleMs: Number(settle) * 1_000 },
        place,
      }
    default:
      return refuseVerb(verb)
  }
}

function readTarget(
  organizationId: string | undefined,
  to: string | undefined,
): { organizationId: string; to: string } {
  if (organizationId === undefined) throw new UsageError('--org takes the organization')
  if (to === undefined || !(DATABASE_NAMES as readonly string[]).includes(to))
    throw new UsageError(`--to takes one of ${DATABASE_NAMES.join(', ')}`)
  return { organizationId, to }
}

function parse(args: string[]) {
  const text = { type: 'string' } as const
  return parseArgs({
    args,
    allowPositionals: true,
    options: { ...PLACE_OPTIONS, org: text, to: text, 'settle-seconds': text },
  })
}
