/** `npm run organizations`: which database each organization lives in, and moving it to another. */
import { setTimeout as sleep } from 'node:timers/promises'
import { DrizzleQueryError } from 'drizzle-orm'
import { UNPLACED } from '../src/jobs/placement.ts'
import { hasJobs, type MoveOptions, moveOrganization, type Stores } from '../src/store/move-organization.ts'
import { findPlacement } from '../src/store/organizations.ts'
import { UsageError } from './keys-command.ts'
import { openLocalDatabases } from './local-database.ts'
import { type OperatorDatabases, surveyDatabases } from './operator-databases.ts'
import { type OrganizationsCommand, readOrganizationsCommand, USAGE } from './organizations-command.ts'
import { openWranglerDatabases, WranglerError } from './wrangler-database.ts'

/** See `restMs`: as long as an edge accepts a key that it cannot look up. */
const REST_MS = 15 * 60_000

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  try {
    const { command, place } = readOrganizationsCommand(args)
    if (place.where === 'remote') return await run(command, await openWranglerDatabases(['--remote']))
    const local = await openLocalDatabases(place.persistTo, { mayCreate: false })
    try {
      return await run(command, local.databases)
    } finally {
      local.close()
    }
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${USAGE}`)
      return 2
    }
    // Drizzle's own error quotes the statement, with everything that it carried.
    const cause = error instanceof DrizzleQueryError ? error.cause : error
    console.error(cause instanceof Error ? cause.message : cause)
    if (cause instanceof WranglerError && /no such (table|column)/.test(cause.message))
      console.error(
        'Apply the migrations to every database first: npx wrangler d1 migrations apply DB --remote',
      )
    return 1
  }
}

async function run(command: OrganizationsCommand, databases: OperatorDatabases): Promise<number> {
  const { verb, organizationId } = command
  const stores = storesOf(databases)
  switch (verb) {
    case 'list':
      if (organizationId === undefined) await listDatabases(databases)
      else console.log((await findPlacement(stores.DB, organizationId))?.database ?? UNPLACED.database)
      return 0
    case 'place':
      if (await hasJobs(stores, organizationId)) {
        console.error(`${organizationId} has jobs: use move`)
        return 1
      }
      await moveTo(stores, organizationId, command.to, { settleMs: 0, restMs: 0 })
      return 0
    case 'move':
      await moveTo(stores, organizationId, command.to, { settleMs: command.settleMs, restMs: REST_MS })
      return 0
    default:
      return command satisfies never
  }
}

async function listDatabases(databases: OperatorDatabases): Promise<void> {
  for (const { name, bytes, organizations } of await surveyDatabases(databases)) {
    const size = bytes === null ? 'size unknown' : `${(bytes / 1024 ** 2).toFixed(1)} MB`
    console.log(`${name.padEnd(4)}  ${size}  ${organizations} organizations placed`)
  }
}

async function moveTo(
  stores: Stores,
  organizationId: string,
  to: string,
  times: Pick<MoveOptions, 'settleMs' | 'restMs'>,
): Promise<void> {
  await moveOrganization(stores, organizationId, to, {
    ...times,
    now: Date.now,
    sleep,
    say: (line) => console.error(line),
  })
}

function storesOf({ DB, ...others }: OperatorDatabases): Stores {
  const more = Object.fromEntries(Object.entries(others).map(([name, { store }]) => [name, store]))
  return { DB: DB.store, ...more }
}
