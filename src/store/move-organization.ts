import { and, eq, isNull, lt, ne, sql } from 'drizzle-orm'
import { type Placement, UNPLACED } from '../jobs/placement.ts'
import { copyOrganization, deleteOrganization, type Ends } from './copy-organization.ts'
import { departures, jobs, type MOVE_PHASES, organizations } from './schema.ts'
import type { AnyStore } from './store.ts'

/** A pass that copied at most this many jobs leaves few for the time in which the old database is closed. */
const FEW_JOBS = 50
/** Passes until the old database is closed all the same, and until it has to be empty of news once it is. */
const MAX_PASSES = 20

/** The databases by name. `DB` has the directory. */
export type Stores = Record<string, AnyStore> & { DB: AnyStore }

export interface MoveOptions {
  /**
   * How long an organization stays where it moved last, in ms. A location that is cut off from D1 relies on an old
   * placement for 15 minutes: until then, it must not become the right one again while its rows are still on their way.
   */
  restMs: number
  /** How long the old rows stay after the switch, in ms: until every location has learned of it. */
  settleMs: number
  /** The time in ms since the epoch. */
  now: () => number
  sleep: (ms: number) => Promise<unknown>
  /** Called with each phase as it begins, and with what it did. */
  say: (line: string) => void
}

/** The move cannot be made. The message is for the operator. */
export class MoveError extends Error {}

type Phase = (typeof MOVE_PHASES)[number]
type Row = typeof organizations.$inferSelect
/** A move under way. */
type Move = Row & { phase: Phase; movingFrom: string; movingTo: string }

/**
 * Moves an organization to another database while its jobs go on. The directory remembers the phase: repeat the call after
 * a crash, and it goes on from there. Throws a MoveError, or what the databases throw.
 *
 * - `copying`: its jobs are copied, again and again, until few are left.
 * - `closed`: the old database takes nothing of the organization's from here on; triggers see to it, so no writer can miss
 *   it. Objects that it refuses record in the new one. What was left is copied and both are compared.
 * - `switched`: the directory names the new database. Lists come from the old one until their locations look it up again.
 * - `clearing`: the old rows are deleted.
 */
export async function moveOrganization(
  stores: Stores,
  organizationId: string,
  to: string,
  options: MoveOptions,
): Promise<void> {
  if (stores[to] === undefined)
    throw new MoveError(`There is no database ${to}: there are ${Object.keys(stores).join(', ')}`)
  let move = await begin(stores.DB, organizationId, to, options)
  if (move === undefined) return options.say(`${organizationId} lives in ${to} already`)
  while (move !== undefined) {
    options.say(`${move.phase}: ${organizationId}, from ${move.movingFrom} to ${to}`)
    await PHASES[move.phase](stores, move, options)
    move = await findMove(stores.DB, organizationId)
  }
  options.say(`${organizationId} lives in ${to}`)
}

/** Whether an organization has a job in the database where the directory places it. Throws if D1 fails. */
export async function hasJobs(stores: Stores, organizationId: string): Promise<boolean> {
  const [row] = await stores.DB.select().from(organizations).where(isOf(organizationId))
  const store = storeOf(stores, row?.database ?? UNPLACED.database)
  const found = await store
    .select({ jobId: jobs.jobId })
    .from(jobs)
    .where(eq(jobs.organizationId, organizationId))
    .limit(1)
  return found.length > 0
}

/** Where an organization went that has left this database; undefined if it has not. Throws if D1 fails. */
export async function findDeparture(
  store: AnyStore,
  organizationId: string,
): Promise<(Placement & { isWhole: boolean }) | undefined> {
  const { database, version, isWhole } = departures
  const [row] = await store
    .select({ database, version, isWhole })
    .from(departures)
    .where(eq(departures.organizationId, organizationId))
  return row
}

const PHASES: Record<Phase, (stores: Stores, move: Move, options: MoveOptions) => Promise<void>> = {
  async copying(stores, move, { say }) {
    const { organizationId, movingFrom, movingTo, version } = move
    const ends = endsOf(stores, move)
    // It may have lived there before.
    await ends.to.delete(departures).where(eq(departures.organizationId, organizationId))
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const copied = await copyOrganization(ends, organizationId, { isExact: false })
      say(`copied ${copied} jobs`)
      if (copied <= FEW_JOBS) break
    }
    await storeOf(stores, movingFrom)
      .insert(departures)
      .values({ organizationId, database: movingTo, version: version + 1, isWhole: false })
      .onConflictDoUpdate({
        target: departures.organizationId,
        set: { database: movingTo, version: version + 1, isWhole: false },
        // Another run of this move may be further.
        setWhere: lt(departures.version, version + 1),
      })
    await enter(stores.DB, move, { phase: 'closed' })
  },

  async closed(stores, move, { now, say }) {
    const { organizationId, movingTo, version } = move
    const ends = endsOf(stores, move)
    let isSame = false
    for (let pass = 0; pass < MAX_PASSES && !isSame; pass++) {
      const copied = await copyOrganization(ends, organizationId, { isExact: true })
      say(copied === 0 ? 'compared: nothing differs' : `copied ${copied} jobs`)
      isSame = copied === 0
    }
    if (!isSame)
      throw new MoveError(`${movingTo} keeps lacking jobs of ${organizationId}: see the log of its objects`)
    await ends.from
      .update(departures)
      .set({ isWhole: true })
      .where(and(eq(departures.organizationId, organizationId), eq(departures.version, version + 1)))
    await enter(stores.DB, move, {
      phase: 'switched',
      database: movingTo,
      version: version + 1,
      switchedAt: now(),
    })
  },

  async switched(stores, move, { settleMs, now, sleep, say }) {
    // Not longer than `settleMs`, even if the clock was set back.
    const wait = Math.min((move.switchedAt ?? 0) + settleMs - now(), settleMs)
    if (wait > 0) {
      say(`waiting ${Math.ceil(wait / 1_000)} s until every location has learned of it`)
      await sleep(wait)
    }
    await enter(stores.DB, move, { phase: 'clearing' })
  },

  async clearing(stores, move) {
    await deleteOrganization(endsOf(stores, move).from, move.organizationId)
    await enter(stores.DB, move, { phase: null, movingFrom: null, movingTo: null })
  },
}

/** Notes that the organization is to move; undefined if it is there. Goes on with a move to the same database. */
async function begin(
  directory: AnyStore,
  organizationId: string,
  to: string,
  { restMs, now }: MoveOptions,
): Promise<Move | undefined> {
  await directory
    .insert(organizations)
    .values({ organizationId, database: UNPLACED.database, placedAt: now() })
    .onConflictDoNothing()
  const { phase, database, switchedAt } = organizations
  const hasRested = sql`coalesce(${switchedAt}, 0) <= ${now() - restMs}`
  await directory
    .update(organizations)
    .set({ phase: 'copying', movingFrom: sql`${database}`, movingTo: to })
    .where(and(isOf(organizationId), isNull(phase), ne(database, to), hasRested))
  const move = await findMove(directory, organizationId)
  if (move !== undefined && move.movingTo !== to)
    throw new MoveError(`${organizationId} is on its way to ${move.movingTo}: let that move finish first`)
  const [row] = await directory.select({ database }).from(organizations).where(isOf(organizationId))
  if (move === undefined && row?.database !== to)
    throw new MoveError(
      `${organizationId} has moved within the last ${restMs / 60_000} minutes: wait until then`,
    )
  return move
}

async function findMove(directory: AnyStore, organizationId: string): Promise<Move | undefined> {
  const [row] = await directory.select().from(organizations).where(isOf(organizationId))
  const { phase, movingFrom, movingTo } = row ?? {}
  if (row === undefined || !phase || !movingFrom || !movingTo) return undefined
  return { ...row, phase, movingFrom, movingTo }
}

/** Enters the next phase, unless another run of the same move has done so. */
async function enter(directory: AnyStore, move: Move, next: Partial<Row>): Promise<void> {
  await directory
    .update(organizations)
    .set(next)
    .where(
      and(
        isOf(move.organizationId),
        eq(organizations.phase, move.phase),
        eq(organizations.version, move.version),
      ),
    )
}

function endsOf(stores: Stores, { movingFrom, movingTo }: Move): Ends {
  return { from: storeOf(stores, movingFrom), to: storeOf(stores, movingTo) }
}

function storeOf(stores: Stores, name: string): AnyStore {
  const store = stores[name]
  if (store === undefined) throw new MoveError(`There is no database ${name}`)
  return store
}

function isOf(organizationId: string) {
  return eq(organizations.organizationId, organizationId)
}
