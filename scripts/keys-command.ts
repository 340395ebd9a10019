import { parseArgs } from 'node:util'
import { PERMISSIONS } from '../src/access/caller.ts'

export const USAGE = `Usage:
  npm run --silent keys -- issue  --local|--remote --org ORG [--org ORG …] --name NAME
                                  --permission P [--permission P …] [--expires-in-days N]
  npm run --silent keys -- list   --local|--remote --org ORG
  npm run --silent keys -- rotate --local|--remote --org ORG --id KEYID [--grace-hours N] [--expires-in-days N]
  npm run --silent keys -- revoke --local|--remote --org ORG --id KEYID
  npm run --silent keys -- webhook-secret --local|--remote --org ORG

  --local           the database of \`npm start\` on this machine, whether it is running or not
  --remote          the deployed database, through wrangler
  --permission P    ${PERMISSIONS.join(', ')}
  --org ORG         with issue, also several: each call then says by X-Organization-ID which one it is about
  --grace-hours N   how long the key that is rotated goes on working, 24 unless told otherwise; 0: it ends at once
  --persist-to DIR  with --local: where the state is, if \`npm start\` was told so, too

issue and rotate print the key, and nothing else, to stdout. It is shown this once: only its hash is stored.
issue makes the state if there is none yet; the others expect one.
rotate issues a key with the same rights, which expires when the old one would have unless told otherwise. A key is rotated once.
webhook-secret makes the secret that the organization's webhooks are signed with, in place of the one it had, and prints it.
`
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** The arguments are not what USAGE says. */
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

/** Which database it is about. */
export type Place = { where: 'local'; persistTo: string | undefined } | { where: 'remote' }

/** Makes out what is to be done, and where. Throws a UsageError. */
export function readKeysCommand(args: string[]): { command: KeysCommand; place: Place } {
  const { values, positionals } = parse(args)
  const [verb, ...rest] = positionals
  if (rest.length > 0) throw new UsageError(`What is ${rest.join(' ')}?`)
  if (values.local === values.remote) throw new UsageError('Say either --local or --remote')
  if (values.remote && values['persist-to'] !== undefined)
    throw new UsageError('--persist-to goes with --local')
  const place: Place = values.remote
    ? { where: 'remote' }
    : { where: 'local', persistTo: values['persist-to'] }

  const organizationIds = [...new Set(values.org)]
  const [organizationId, ...others] = organizationIds
  // What X-Organization-ID can carry, and no more.
  if (organizationId === undefined || !organizationIds.every((id) => /^[\x21-\x7e]{1,128}$/.test(id))) {
    throw new UsageError('--org takes 1 to 128 letters, digits and signs of ASCII, without spaces')
  }
  if (others.length > 0 && verb !== 'issue') throw new UsageError('Several --org go with issue only')
  const given = Object.keys(values).filter((flag) => !['local', 'remote', 'persist-to', 'org'].includes(flag))
  switch (verb) {
    case 'issue': {
      refuseOthers(given, ['name', 'permission', 'expires-in-days'])
      const name = values.name ?? ''
      if (!/^\P{Cc}{1,128}$/u.test(name)) throw new UsageError('--name takes 1 to 128 printable characters')
      const permissions = [...new Set(values.permission)]
      const strange = permissions.filter(
        (permission) => !(PERMISSIONS as readonly string[]).includes(permission),
      )
      if (permissions.length === 0 || strange.length > 0) {
        throw new UsageError(`--permission takes one of ${PERMISSIONS.join(', ')}, and may be repeated`)
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
      throw new UsageError(verb === undefined ? 'Say what to do' : `What is ${verb}?`)
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

/** In ms; null where it was not given. */
function readDays(days: string | undefined): number | null {
  if (days === undefined) return null
  if (!/^[1-9]\d{0,4}$/.test(days)) {
    throw new UsageError('--expires-in-days takes a whole number of days, 1 to 99999')
  }
  return Number(days) * DAY_MS
}

function refuseOthers(given: string[], known: string[]): void {
  const strange = given.filter((flag) => !known.includes(flag))
  if (strange.length > 0) throw new UsageError(`--${strange.join(', --')} does not belong here`)
}
