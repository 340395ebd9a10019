import { parseArgs } from 'node:util'
import { PERMISSIONS } from '../src/access/caller.ts'
import { MAX_KEY_NAME, MAX_ORGANIZATION_ID } from '../src/jobs/limits.ts'

export const USAGE = `Usage:
  npm run --silent keys -- issue  --local|--remote --org ORG [--org ORG …] --name NAME
                                  --permission P [--permission P …] [--expires-in-days N]
  npm run --silent keys -- list   --local|--remote --org ORG
  npm run --silent keys -- rotate --local|--remote --org ORG --id KEYID [--grace-hours N] [--expires-in-days N]
  npm run --silent keys -- revoke --local|--remote --org ORG --id KEYID
  npm run --silent keys -- webhook-secret --local|--remote --org ORG

  --local           use the database of \`npm start\` on this machine, whether it is running or not
  --remote          use the deployed database, through wrangler
  --permission P    ${PERMISSIONS.join(', ')}
  --org ORG         repeat it with issue for a key of several organizations; each call then names one in X-Organization-ID
  --grace-hours N   how long the old key keeps working after rotate (default 24; 0 ends it immediately)
  --persist-to DIR  with --local: the state folder, if you gave one to \`npm start\`

issue and rotate print only the key to stdout. It is shown once: only its hash is stored.
issue creates the state if there is none; the other commands require one.
rotate issues a key with the same rights and, by default, the same expiry. A key can be rotated once.
webhook-secret replaces the secret that signs the organization's webhooks, and prints the new one.
`
const ORGANIZATION_ID = new RegExp(`^[\\x21-\\x7e]{1,${MAX_ORGANIZATION_ID}}$`)
const KEY_NAME = new RegExp(`^\\P{Cc}{1,${MAX_KEY_NAME}}$`, 'u')
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** The arguments do not match USAGE. */
export class UsageError extends Error {}

export type KeysCommand =
  | {
      verb: 'issue'
      organizationIds: string[]
      name: string
      permissions: string[]
      expiresInMs: number | null
    }
  | { verb: 'list'; organizationId: string }
  | { verb: 'webhook-secret'; organizationId: string }
  | { verb: 'revoke'; organizationId: string; keyId: string }
  | { verb: 'rotate'; organizationId: string; keyId: string; graceMs: number; expiresInMs: number | null }

/** Which database to use. */
type Place = { where: 'local'; persistTo: string | undefined } | { where: 'remote' }

/** Parses the arguments into a command and a database. Throws a UsageError. */
export function readKeysCommand(args: string[]): { command: KeysCommand; place: Place } {
  const { values, positionals } = parse(args)
  const [verb, ...rest] = positionals
  if (rest.length > 0) throw new UsageError(`Unexpected argument: ${rest.join(' ')}`)
  if (values.local === values.remote) throw new UsageError('Pass either --local or --remote')
  if (values.remote && values['persist-to'] !== undefined) throw new UsageError('--persist-to needs --local')
  const place: Place = values.remote
    ? { where: 'remote' }
    : { where: 'local', persistTo: values['persist-to'] }

  const organizationIds = [...new Set(values.org)]
  const [organizationId, ...others] = organizationIds
  // The ids that an X-Organization-ID header can carry.
  if (organizationId === undefined || !organizationIds.every((id) => ORGANIZATION_ID.test(id))) {
    throw new UsageError(`--org takes 1 to ${MAX_ORGANIZATION_ID} printable ASCII characters, without spaces`)
  }
  if (others.length > 0 && verb !== 'issue') throw new UsageError('Only issue takes more than one --org')
  const given = Object.keys(values).filter((flag) => !['local', 'remote', 'persist-to', 'org'].includes(flag))
  switch (verb) {
    case 'issue': {
      refuseOthers(given, ['name', 'permission', 'expires-in-days'])
      const name = values.name ?? ''
      if (!KEY_NAME.test(name)) throw new UsageError(`--name takes 1 to ${MAX_KEY_NAME} printable characters`)
      const permissions = [...new Set(values.permission)]
      const unknown = permissions.filter(
        (permission) => !(PERMISSIONS as readonly string[]).includes(permission),
      )
      if (permissions.length === 0 || unknown.length > 0) {
        throw new UsageError(`--permission takes one of ${PERMISSIONS.join(', ')}; repeat it for more`)
      }
      const expiresInMs = readDays(values['expires-in-days'])
      return { command: { verb, organizationIds, name, permissions, expiresInMs }, place }
    }
    case 'list':
    case 'webhook-secret':
      refuseOthers(given, [])
      return { command: { verb, organizationId }, place }
    case 'revoke':
      refuseOthers(given, ['id'])
      if (!values.id) throw new UsageError('--id takes the id of a key, as list shows it')
      return { command: { verb, organizationId, keyId: values.id }, place }
    case 'rotate': {
      refuseOthers(given, ['id', 'grace-hours', 'expires-in-days'])
      if (!values.id) throw new UsageError('--id takes the id of a key, as list shows it')
      const hours = values['grace-hours'] ?? '24'
      if (!/^\d{1,4}$/.test(hours))
        throw new UsageError('--grace-hours takes a whole number of hours, 0 to 9999')
      const expiresInMs = readDays(values['expires-in-days'])
      const graceMs = Number(hours) * HOUR_MS
      return { command: { verb, organizationId, keyId: values.id, graceMs, expiresInMs }, place }
    }
    default:
      throw new UsageError(verb === undefined ? 'Pass a command' : `Unknown command: ${verb}`)
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        local: { type: 'boolean' },
        remote: { type: 'boolean' },
        org: { type: 'string', multiple: true },
        name: { type: 'string' },
        permission: { type: 'string', multiple: true },
        'expires-in-days': { type: 'string' },
        id: { type: 'string' },
        'grace-hours': { type: 'string' },
        'persist-to': { type: 'string' },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** Converts days to ms; null if the flag is absent. */
function readDays(days: string | undefined): number | null {
  if (days === undefined) return null
  if (!/^[1-9]\d{0,4}$/.test(days)) {
    throw new UsageError('--expires-in-days takes a whole number of days, 1 to 99999')
  }
  return Number(days) * DAY_MS
}

function refuseOthers(given: string[], known: string[]): void {
  const others = given.filter((flag) => !known.includes(flag))
  if (others.length > 0) throw new UsageError(`This command does not take --${others.join(', --')}`)
}
