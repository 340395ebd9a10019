/** `npm run keys`: issues, lists, rotates and revokes server API keys; makes webhook secrets. */
import { hashServerApiKey, newServerApiKey } from '../src/access/server-api-key.ts'
import {
  type ApiKeyStore,
  endApiKey,
  findUsableApiKey,
  insertApiKey,
  type ListedApiKey,
  listApiKeys,
  type NewApiKey,
  revokeApiKey,
} from '../src/store/api-keys.ts'
import { saveWebhookSecret } from '../src/store/webhook-secrets.ts'
import { type KeysCommand, readKeysCommand, USAGE, UsageError } from './keys-command.ts'
import { openLocalDatabase, retryWhileContended } from './local-database.ts'
import { openWranglerDatabase, WranglerError } from './wrangler-database.ts'

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  try {
    const { command, place } = readKeysCommand(args)
    if (place.where === 'remote') return await run(command, await openWranglerDatabase(['--remote']))
    const { store, dispose } = await openLocalDatabase(place.persistTo)
    try {
      return await retryWhileContended(() => run(command, store))
    } finally {
      await dispose()
    }
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${USAGE}`)
      return 2
    }
    // Drizzle's own error tells the statement, hash and all; what went wrong is in its cause.
    const cause = error instanceof Error ? (error.cause ?? error) : error
    console.error(cause instanceof Error ? cause.message : cause)
    if (cause instanceof WranglerError)
      console.error('Are the migrations applied? npx wrangler d1 migrations apply DB --remote')
    return 1
  }
}

async function run(command: KeysCommand, store: ApiKeyStore): Promise<number> {
  const now = Date.now()
  switch (command.verb) {
    case 'issue': {
      const { organizationIds, name, permissions, expiresInMs } = command
      const expiresAt = expiresInMs === null ? null : now + expiresInMs
      await issue(store, { organizationIds, name, permissions, createdAt: now, expiresAt })
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
      const old = await findUsableApiKey(store, organizationId, keyId, now)
      if (old === undefined) {
        console.error(`${organizationId} has no key ${keyId} that is good`)
        return 1
      }
      const { organizationIds, name, permissions } = old
      const expiresAt = expiresInMs === null ? old.expiresAt : now + expiresInMs
      // First the new one: should the second step fail, there are two good keys, and not none.
      await issue(store, { organizationIds, name, permissions, createdAt: now, expiresAt })
      const end = await endApiKey(store, organizationId, keyId, now + graceMs)
      console.error(`${keyId} ends ${timeOf(end ?? now)}, and within 60 s of that everywhere`)
      return 0
    }
    case 'revoke':
      if (await revokeApiKey(store, command.organizationId, command.keyId, now)) {
        console.error(
          `${command.keyId} is revoked: while D1 can be asked, it is accepted nowhere for more than 60 s from now`,
        )
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

/** Makes a key, stores its hash, and prints it. */
async function issue(store: ApiKeyStore, order: Omit<NewApiKey, 'keyHash' | 'keyId'>): Promise<void> {
  const key = newServerApiKey()
  const keyId = `key_${crypto.randomUUID().replaceAll('-', '')}`
  await insertApiKey(store, { ...order, keyId, keyHash: await hashServerApiKey(key) })
  const { permissions, organizationIds, expiresAt } = order
  console.error(
    `${keyId}: ${permissions.join(', ')} for ${organizationIds.join(', ')}, ${expiryOf(expiresAt)}`,
  )
  console.log(key)
}

/** As the Standard Webhooks scheme writes a secret: 256 random bits in base64. */
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
    key.revokedAt !== null ? `revoked ${dayOf(key.revokedAt)}` : expiryOf(key.expiresAt, now),
  ])
  const widths = [0, 1, 2, 3, 4, 5].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n')
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
