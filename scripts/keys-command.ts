import { parseArgs } from 'node:util'
import { PERMISSIONS } from '../src/access/caller.ts'
import { MAX_KEY_NAME } from '../src/jobs/limits.ts'
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
const KEY_NAME = new RegExp(`^\\P{Cc}{1,${MAX_KEY_NAME}}$`, 'u')
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

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

/** Parses the arguments into a command and a database. Throws a UsageError. */
export function readKeysCommand(args: string[]): { command: KeysCommand; place: Place } {
  const { values, verb, place } = readArguments(() => parse(args))
  const organizationIds = [...new Set(values.org)]
  checkOrganizationIds(organizationIds)
  const [organizationId, ...others] = organizationIds
  if (organizationId === undefined) throw new UsageError('--org takes the organization')
  if (others.length > 0 && verb !== 'issue') throw new UsageError('Only issue takes more than one --org')
  switch (verb) {
    case 'issue': {
      refuseOthers(values, ['name', 'permission', 'expires-in-days'])
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
      refuseOthers(values, [])
      return { command: { verb, organizationId }, place }
    case 'revoke':
      refuseOthers(values, ['id'])
      return { command: { verb, organizationId, keyId: readKeyId(values.id) }, place }
    case 'rotate': {
      refuseOthers(values, ['id', 'grace-hours', 'expires-in-days'])
      const keyId = readKeyId(values.id)
      const hours = values['grace-hours'] ?? '24'
      if (!/^\d{1,4}$/.test(hours))
        throw new UsageError('--grace-hours takes a whole number of hours, 0 to 9999')
      const expiresInMs = readDays(values['expires-in-days'])
      const graceMs = Number(hours) * HOUR_MS
      return { command: { verb, organizationId, keyId, graceMs, expiresInMs }, place }
    }
    default:
      return refuseVerb(verb)
  }
}

function parse(args: string[]) {
  const text = { type: 'string' } as const
  const texts = { type: 'string', multiple: true } as const
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...PLACE_OPTIONS,
      org: texts,
      name: text,
      permission: texts,
      'expires-in-days': text,
      id: text,
      'grace-hours': text,
    },
  })
}

function readKeyId(id: string | undefined): string {
  if (!id) throw new UsageError('--id takes the id of a key, as list shows it')
  return id
}

/** Converts days to ms; null if the flag is absent. */
function readDays(days: string | undefined): number | null {
  if (days === undefined) return null
  if (!/^[1-9]\d{0,4}$/.test(days)) {
    throw new UsageError('--expires-in-days takes a whole number of days, 1 to 99999')
  }
  return Number(days) * DAY_MS
}
