import { and, eq, isNull, ne, sql } from 'drizzle-orm'
import { UNPLACED } from '../../jobs/placement.ts'
import { type MOVE_PHASES, organizations } from '../schema.ts'
import type { AnyStore } from '../store.ts'
import { MoveError } from './ends.ts'

export type Phase = (typeof MOVE_PHASES)[number]
type Row = typeof organizations.$inferSelect
/** A move under way, as the directory notes it. */
export type Move = Row & { phase: Phase; movingFrom: string; movingTo: string }

/**
 * Notes that an organization is to move, or finds its move to the same database under way; undefined if it lives there
 * already. Throws a MoveError if it is moving elsewhere, or moved less than `restMs` before `now`, both in ms.
 */
export async function beginMove(
  directory: AnyStore,
  organizationId: string,
  to: string,
  { restMs, now }: { restMs: number; now: number },
): Promise<Move | undefined> {
  await directory
    .insert(organizations)
    .values({ organizationId, database: UNPLACED.database, placedAt: now })
    .onConflictDoNothing()
  const { phase, database, switchedAt } = organizations
  const hasRested = sql`coalesce(${switchedAt}, 0) <= ${now - restMs}`
  await directory
    .update(organizations)
    .set({ phase: 'copying', movingFrom: sql`${database}`, movingTo: to })
    .where(and(isOf(organizationId), isNull(phase), ne(database, to), hasRested))
  const move = await findMove(directory, organizationId, to)
  if (move === undefined && !(await livesIn(directory, organizationId, to)))
    throw new MoveError(`${organizationId} moved less than ${restMs / 60_000} minutes ago: try again later`)
  return move
}

/** The move of an organization that is under way; undefined if there is none. Throws a MoveError if it goes elsewhere. */
export async function findMove(
  directory: AnyStore,
  organizationId: string,
  to: string,
): Promise<Move | undefined> {
  const row = await findRow(directory, organizationId)
  const { phase, movingFrom, movingTo } = row ?? {}
  if (row === undefined || !phase || !movingFrom || !movingTo) return undefined
  if (movingTo !== to)
    throw new MoveError(`${organizationId} is moving to ${movingTo}: let that move finish first`)
  return { ...row, phase, movingFrom, movingTo }
}

export async function livesIn(
  directory: AnyStore,
  organizationId: string,
  database: string,
): Promise<boolean> {
  return (await findRow(directory, organizationId))?.database === database
}

/** Whether the organization has begun another move since. */
export async function isOutdated(directory: AnyStore, { organizationId, version }: Move): Promise<boolean> {
  const row = await findRow(directory, organizationId)
  // A move raises the version as it switches, so another one with this version has not come so far.
  const isOfNext = row?.phase === 'copying' || row?.phase === 'closed'
  return row === undefined || row.version > version + 1 || (row.version === version + 1 && isOfNext)
}

/** Notes the next phase, unless another run of the same move has done so. */
export async function enterPhase(directory: AnyStore, move: Move, next: Partial<Row>): Promise<void> {
  const { phase, version } = organizations
  await directory
    .update(organizations)
    .set(next)
    .where(and(isOf(move.organizationId), eq(phase, move.phase), eq(version, move.version)))
}

async function findRow(directory: AnyStore, organizationId: string): Promise<Row | undefined> {
  const [row] = await directory.select().from(organizations).where(isOf(organizationId))
  return row
}

function isOf(organizationId: string) {
  return eq(organizations.organizationId, organizationId)
}
