/** `npm run keys`: issues, lists, rotates and revokes server API keys, and creates webhook secrets. */
import { hashServerApiKey, newServerApiKey } from '../src/access/server-api-key.ts'
import {
  insertApiKey,
  type ListedApiKey,
  listApiKeys,
  revokeApiKey,
  rotateApiKey,
} from '../src/store/api-keys.ts'
import { placeOrganization } from '../src/store/organizations.ts'
import { saveWebhookSecret } from '../src/store/webhook-secrets.ts'
import { type KeysCommand, readKeysCommand, USAGE } from './keys-command.ts'
import { chooseForNew, type OperatorDatabases } from './operator-databases.ts'
import { runOperatorCommand } from './run-operator-command.ts'
import { readWorkerSettings } from './settings.ts'

process.exitCode = await runOperatorCommand(process.argv.slice(2), {
  usage: USAGE,
  read: readKeysCommand,
  run,
  // Keys may be issued before the first start. For any other command, a missing state means a mistyped path.
  mayCreate: ({ verb }) => verb === 'issue',
  // The network may fail after D1 has applied the change.
  adviceAfterFailure: ({ verb }) =>
    verb === 'list'
      ? undefined
      : 'The change may still have been applied: check `keys list`, and revoke any key that was never shown.',
})

async function run(command: KeysCommand, databases: OperatorDatabases): Promise<number> {
  const { store } = databases.DB
  const now = Date.now()
  switch (command.verb) {
    case 'issue': {
      const { organizationIds, name, permissions, expiresInMs } = command
      const { key, keyHash, keyId } = await makeKey()
      const expiresAt = expiresInMs === null ? null : now + expiresInMs
      const issued = { keyHash, keyId, organizationIds, name, permissions, createdAt: now, expiresAt }
      await placeAll(organizationIds, databases, now)
      await insertApiKey(store, issued)
      show(key, issued)
      return 0
    }
    case 'list': {
      const keys = await listApiKeys(store, command.organizationId)
      if (keys.length === 0) console.error(`${command.organizationId} has no keys`)
      else console.log(toTable(keys, now))
      return 0
    }
    case 'rotate': {
      const { organizationId, keyId, graceMs, expiresInMs } = command
      const { key, ...twin } = await makeKey()
      const expiresAt = expiresInMs === null ? null : now + expiresInMs
      const rotation = await rotateApiKey(
        store,
        organizationId,
        keyId,
        { ...twin, expiresAt },
        now,
        now + graceMs,
      )
      if (rotation.ok) {
        show(key, rotation.twin)
        console.error(`${keyId} ends ${timeOf(rotation.end)}; every location rejects it within 60 s of that`)
        return 0
      }
      console.error(
        rotation.reason === 'unknown'
          ? `${organizationId} has no valid key ${keyId}`
          : `${keyId} was already rotated and ends ${timeOf(rotation.end)}: ` +
              'rotate its replacement, or revoke this one to end it now',
      )
      return 1
    }
    case 'revoke':
      if (await revokeApiKey(store, command.organizationId, command.keyId, now)) {
        console.error(`${command.keyId} is revoked: every location rejects it within 60 s, unless D1 is down`)
        return 0
      }
      console.error(`${command.organizationId} has no key ${command.keyId}`)
      return 1
    case 'webhook-secret': {
      const secret = newWebhookSecret()
      await saveWebhookSecret(store, command.organizationId, secret, now)
      console.log(secret)
      return 0
    }
    default:
      return command satisfies never
  }
}

/** Places organizations that have no place. Called before their key is stored: none of their jobs can exist elsewhere. */
async function placeAll(organizationIds: string[], databases: OperatorDatabases, now: number): Promise<void> {
  const areSeveral = Object.keys(databases).length > 1
  const choose = areSeveral ? await preferredOf(databases) : async () => 'DB'
  for (const id of organizationIds) {
    const { database } = await placeOrganization(databases.DB.store, id, choose, now)
    if (areSeveral) console.error(`${id} lives in ${database}`)
  }
}

async function preferredOf(databases: OperatorDatabases): Promise<() => Promise<string>> {
  const { DATABASE_FOR_NEW: preferred } = (await readWorkerSettings()).bindings ?? {}
  return () => chooseForNew(databases, typeof preferred === 'string' ? preferred : undefined)
}

async function makeKey(): Promise<{ key: string; keyHash: string; keyId: string }> {
  const key = newServerApiKey()
  const keyId = `key_${crypto.randomUUID().replaceAll('-', '')}`
  return { key, keyHash: await hashServerApiKey(key), keyId }
}

/** Prints a key after it is stored. It is never shown again. */
function show(
  key: string,
  stored: Pick<ListedApiKey, 'expiresAt' | 'keyId' | 'organizationIds' | 'permissions'>,
): void {
  const { keyId, permissions, organizationIds, expiresAt } = stored
  console.error(
    `${keyId}: ${permissions.join(', ')} for ${organizationIds.join(', ')}, ${expiryOf(expiresAt)}`,
  )
  console.log(key)
}

/** A secret in Standard Webhooks format: 256 random bits in base64. */
function newWebhookSecret(): string {
  return `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')}`
}

function toTable(keys: ListedApiKey[], now: number): string {
  const rows = keys.map((key) => [
    key.keyId,
    key.name,
    key.permissions.join(' '),
    key.organizationIds.join(' '),
    `issued ${dayOf(key.createdAt)}`,
    key.lastUsedAt === null ? 'never used' : `used ${timeOf(key.lastUsedAt)}`,
    endOf(key, now),
  ])
  const widths = [0, 1, 2, 3, 4, 5].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n')
}

function endOf({ revokedAt, rotatedAt, expiresAt }: ListedApiKey, now: number): string {
  if (revokedAt !== null) return `revoked ${dayOf(revokedAt)}`
  return `${rotatedAt === null ? '' : 'rotated, '}${expiryOf(expiresAt, now)}`
}

function expiryOf(expiresAt: number | null, now = 0): string {
  if (expiresAt === null) return 'does not expire'
  return `${now >= expiresAt ? 'expired' : 'expires'} ${dayOf(expiresAt)}`
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}

function timeOf(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16)}Z`
}
