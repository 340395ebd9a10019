/** `npm run organizations`: which database each organization lives in, and moving it to another. */
import { setTimeout as sleep } from 'node:timers/promises'
import { UNPLACED } from '../src/jobs/placement.ts'
import { type Stores, storeOf } from '../src/store/move/ends.ts'
import { type MoveOptions, moveOrganization } from '../src/store/move/move-organization.ts'
import { findPlacement, hasJobs } from '../src/store/organizations.ts'
import { type OperatorDatabases, surveyDatabases } from './operator-databases.ts'
import { type OrganizationsCommand, readOrganizationsCommand, USAGE } from './organizations-command.ts'
import { runOperatorCommand } from './run-operator-command.ts'

/** See `restMs`: as long as an edge accepts a key that it cannot look up. */
const REST_MS = 15 * 60_000

process.exitCode = await runOperatorCommand(process.argv.slice(2), {
  usage: USAGE,
  read: readOrganizationsCommand,
  run,
  mayCreate: () => false,
})

async function run(command: OrganizationsCommand, databases: OperatorDatabases): Promise<number> {
  const { verb, organizationId } = command
  const stores = storesOf(databases)
  switch (verb) {
    case 'list':
      if (organizationId === undefined) await listDatabases(databases)
      else console.log(await whereIs(stores, organizationId))
      return 0
    case 'place':
      if (await hasJobs(storeOf(stores, await whereIs(stores, organizationId)), organizationId)) {
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

async function whereIs({ DB }: Stores, organizationId: string): Promise<string> {
  return ((await findPlacement(DB, organizationId)) ?? UNPLACED).database
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
