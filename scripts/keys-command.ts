import { parseArgs } from 'node:util'
import { PERMISSIONS } from '../src/access/caller.ts'

export const USAGE = `Usage:
  npm run --silent keys -- issue  --local|--remote --org ORG --name NAME --permission P [--permission P …]
                                  [--expires-in-days N]
  npm run --silent keys -- list   --local|--remote --org ORG
  npm run --silent keys -- revoke --local|--remote --org ORG --id KEYID

  --local           the database of \`npm start\` on this machine, whether it is running or not
  --remote          the deployed database, through wrangler
  --permission P    ${PERMISSIONS.join(', ')}
  --persist-to DIR  with --local: where the state is, if \`npm start\` was told so, too

issue prints the key, and nothing else, to stdout. It is shown this once: only its hash is stored.
`
const DAY_MS = 86_400_000

/** The arguments are not what USAGE says. */
export class UsageError extends Error {}

export type KeysCommand =
  | { verb: 'issue'; organizationId: string; name: string; permissions: string[]; expiresInMs: number | null }
  | { verb: 'list'; organizationId: string }
  | { verb: 'revoke'; organizationId: string; keyId: string }

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

  const organizationId = values.org ?? ''
  // What X-Organization-ID can carry, and no more.
  if (!/^[\x21-\x7e]{1,128}$/.test(organizationId)) {
    throw new UsageError('--org takes 1 to 128 letters, digits and signs of ASCII, without spaces')
  }
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
      const days = values['expires-in-days']
      if (days !== undefined && !/^[1-9]\d{0,4}$/.test(days)) {
        throw new UsageError('--expires-in-days takes a whole number of days, 1 to 99999')
      }
      const expiresInMs = days === undefined ? null : Number(days) * DAY_MS
      return { command: { verb, organizationId, name, permissions, expiresInMs }, place }
    }
    case 'list':
      refuseOthers(given, [])
      return { command: { verb, organizationId }, place }
    case 'revoke':
      refuseOthers(given, ['id'])
      if (!values.id) throw new UsageError('--id takes the id of a key, as list shows it')
      return { command: { verb, organizationId, keyId: values.id }, place }
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
        org: { type: 'string' },
        name: { type: 'string' },
        permission: { type: 'string', multiple: true },
        'expires-in-days': { type: 'string' },
        id: { type: 'string' },
        'persist-to': { type: 'string' },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function refuseOthers(given: string[], known: string[]): void {
  const strange = given.filter((flag) => !known.includes(flag))
  if (strange.length > 0) throw new UsageError(`--${strange.join(', --')} does not belong here`)
}
