import { clearOrganization } from './clear-organization.ts'
import { copyOrganization } from './copy-organization.ts'
import { copyStats } from './copy-stats.ts'
import { closeDatabase, isSameDatabase, markWhole, openDatabase } from './departures.ts'
import { type Ends, MoveError, type Stores, storeOf } from './ends.ts'
import type { Scope } from './job-states.ts'
import { beginMove, enterPhase, findMove, isOutdated, livesIn, type Move, type Phase } from './noted-move.ts'

/** The old database is closed after a pass that copied at most this many jobs: it should not be closed for long. */
const FEW_JOBS = 50
/** The most passes over an organization in one phase. */
const MAX_PASSES = 20

export interface MoveOptions {
  /**
   * How long an organization stays put after a move, in ms. A location that is cut off from D1 relies on an old placement
   * for 15 minutes. That placement must not become right again before the rows are back.
   */
  restMs: number
  /** How long the old rows stay after the switch, in ms. Every location has to learn of it first. */
  settleMs: number
  /** The time in ms since the epoch. */
  now: () => number
  sleep: (ms: number) => Promise<unknown>
  /** Called with each phase as it begins, and with what it did. */
  say: (line: string) => void
}

/**
 * Moves an organization to another database while its jobs go on. The directory has the phase: after a crash, repeat the
 * call, and it resumes there. Throws a MoveError, or what the databases throw.
 */
export async function moveOrganization(
  stores: Stores,
  organizationId: string,
  to: string,
  options: MoveOptions,
): Promise<void> {
  const { restMs, now, say } = options
  storeOf(stores, to)
  let move = await beginMove(stores.DB, organizationId, to, { restMs, now: now() })
  if (move === undefined) return say(`${organizationId} lives in ${to} already`)
  const ends = { from: storeOf(stores, move.movingFrom), to: storeOf(stores, to) }
  if (await isSameDatabase(ends.from, ends.to))
    throw new MoveError(
      `${move.movingFrom} and ${to} are the same database: check their names and ids in wrangler.toml`,
    )
  const { movingFrom } = move
  while (move?.movingFrom === movingFrom) {
    say(`${move.phase}: ${organizationId}, from ${movingFrom} to ${to}`)
    await PHASES[move.phase]({ directory: stores.DB, ends, move }, options)
    move = await findMove(stores.DB, organizationId, to)
  }
  if (move !== undefined || !(await livesIn(stores.DB, organizationId, to)))
    throw movedElsewhere(organizationId)
  say(`${organizationId} lives in ${to}`)
}

function movedElsewhere(organizationId: string): MoveError {
  return new MoveError(`${organizationId} has been moved elsewhere meanwhile`)
}

interface Step {
  directory: Stores['DB']
  ends: Ends
  move: Move
}

/** The phases in order. Each is safe to repeat, even while another run is in it. */
const PHASES: Record<Phase, (step: Step, options: MoveOptions) => Promise<void>> = {
  copying: copyMost,
  closed: copyRest,
  switched: settle,
  clearing: clear,
}

/** Copies most jobs while the organization goes on, then closes the old database. */
async function copyMost(step: Step, { say }: MoveOptions): Promise<void> {
  const { directory, ends, move } = step
  const { organizationId, movingTo, version } = move
  await openDatabase(ends.to, organizationId, version)
  await copyUntil(FEW_JOBS, step, { organizationId, countsEntries: false }, say)
  await closeDatabase(ends.from, organizationId, { database: movingTo, version: version + 1 })
  // A run that slept may close it long after the move: by now, the organization may be back.
  if (await isOutdated(directory, move)) await openDatabase(ends.from, organizationId, version + 1)
  await enterPhase(directory, move, { phase: 'closed' })
}

/**
 * Copies what was left, compares both databases, and switches the directory. The old database takes nothing more, so a
 * pass that finds no difference proves that there is none. Objects whose records it skips record in the new one.
 */
async function copyRest(step: Step, { now, say }: MoveOptions): Promise<void> {
  const { directory, ends, move } = step
  const { organizationId, movingTo, version } = move
  if (!(await copyUntil(0, step, { organizationId, countsEntries: true }, say)))
    throw new MoveError(`${movingTo} keeps lacking jobs of ${organizationId}: see the log of its objects`)
  say('compared: nothing differs')
  await copyStats(ends, organizationId)
  await markWhole(ends.from, organizationId, version + 1)
  const placement = { database: movingTo, version: version + 1 }
  await enterPhase(directory, move, { phase: 'switched', ...placement, switchedAt: now() })
}

/** Copies again and again, until a pass copies at most `few` jobs. False if no pass of `MAX_PASSES` does. */
async function copyUntil(
  few: number,
  { directory, ends, move }: Step,
  scope: Scope,
  say: MoveOptions['say'],
): Promise<boolean> {
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const copied = await copyOrganization(ends, scope)
    if (copied > 0 || few > 0) say(`copied ${copied} jobs`)
    if (copied <= few) return true
    if (await isOutdated(directory, move)) throw movedElsewhere(move.organizationId)
  }
  return false
}

/** Waits until every location has looked the organization up again. Until then, some list it from the old database. */
async function settle({ directory, move }: Step, { settleMs, now, sleep, say }: MoveOptions): Promise<void> {
  // Not longer than `settleMs`, even if the clock was set back.
  const wait = Math.min((move.switchedAt ?? 0) + settleMs - now(), settleMs)
  if (wait > 0) {
    say(`waiting ${Math.ceil(wait / 1_000)} s until every location has learned of it`)
    await sleep(wait)
  }
  await enterPhase(directory, move, { phase: 'clearing' })
}

/** Deletes the old rows. */
async function clear({ directory, ends, move }: Step): Promise<void> {
  await clearOrganization(ends.from, move.organizationId, move.version)
  await enterPhase(directory, move, { phase: null, movingFrom: null, movingTo: null })
}
