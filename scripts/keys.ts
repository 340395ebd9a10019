/** `npm run keys`: issues, lists and revokes server API keys. */
import { hashServerApiKey, newServerApiKey } from '../src/access/server-api-key.ts'
import {
  type ApiKeyStore,
  insertApiKey,
  type ListedApiKey,
  listApiKeys,
  revokeApiKey,
} from '../src/store/api-keys.ts'
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
      const key = newServerApiKey()
      const keyId = `key_${crypto.randomUUID().replaceAll('-', '')}`
      const { organizationId, name, permissions, expiresInMs } = command
      const expiresAt = expiresInMs === null ? null : now + expiresInMs
      const keyHash = await hashServerApiKey(key)
      await insertApiKey(store, {
        keyHash,
        keyId,
        organizationId,
        name,
        permissions,
        createdAt: now,
        expiresAt,
      })
      console.error(`${keyId}: ${permissions.join(', ')} for ${organizationId}, ${expiryOf(expiresAt)}`)
      console.log(key)
      return 0
    }
    case 'list': {
      const keys = await listApiKeys(store, command.organizationId)
      if (keys.length === 0) console.error(`${command.organizationId} has no keys`)
      else console.log(toTable(keys, now))
      return 0
    }
    case 'revoke':
      if (await revokeApiKey(store, command.organizationId, command.keyId, now)) {
        console.error(`${command.keyId} is revoked: nowhere is it accepted for more than 60 s from now`)
        return 0
      }
      console.error(`${command.organizationId} has no key ${command.keyId}`)
      return 1
    default:
      return command satisfies never
  }
}

function toTable(keys: ListedApiKey[], now: number): string {
  const rows = keys.map(({ keyId, name, permissions, createdAt, expiresAt, revokedAt }) => [
    keyId,
    name,
    permissions.join(' '),
    `issued ${dayOf(createdAt)}`,
    revokedAt !== null ? `revoked ${dayOf(revokedAt)}` : expiryOf(expiresAt, now),
  ])
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n')
}

function expiryOf(expiresAt: number | null, now = 0): string {
  if (expiresAt === null) return 'does not expire'
  return `${now >= expiresAt ? 'expired' : 'expires'} ${dayOf(expiresAt)}`
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}
