import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { StateError } from './state-error.ts'

/** How long to look for the holder's note, in ms: the lock is taken a moment before the note is written. */
const LOOK_FOR = 1_000
/** How long to wait for the runtime of an edge that was killed, in ms. */
const LAST_ONE_ENDS_WITHIN = 3_000

/** Keeps the locks from the garbage collector, which closes a database that nothing refers to and so drops its lock. */
const held = new Set<DatabaseSync>()

/** The note that whoever runs on a state leaves there. */
export interface Holder {
  pid: number
  /** Where it listens; absent until it does. */
  address?: string | undefined
  /** The process that ends its runtime, should it be killed. */
  watchdogPid?: number | undefined
}

export interface StateLock {
  /** Adds to the note. Throws where the disk does not take it. */
  announce: (more: Partial<Holder>) => void
  /** Safe to repeat. */
  release: () => void
}

/**
 * Makes this process the only one to run on the state in `dir`: two would each keep their own version of every job. Throws a
 * StateError that names the holder if there is one.
 *
 * The lock is one that SQLite takes on an empty file, as Node has none of its own. The operating system drops it when the
 * process ends, however it ends, so nothing that a crash or a reboot leaves in the folder ever locks anyone out.
 */
export async function lockState(dir: string): Promise<StateLock> {
  mkdirSync(dir, { recursive: true })
  const lock = await take(dir)
  const note = join(dir, 'edge.json')
  let holder: Holder = { pid: process.pid }
  const announce = (more: Partial<Holder>) => {
    holder = { ...holder, ...more }
    writeFileSync(note, JSON.stringify(holder))
  }
  const release = () => {
    if (!held.delete(lock)) return
    rmSync(note, { force: true })
    lock.close()
  }
  held.add(lock)
  try {
    await untilLastOneEnded(readHolder(dir))
    announce({})
    return { announce, release }
  } catch (error) {
    release()
    throw error
  }
}

async function take(dir: string): Promise<DatabaseSync> {
  const lock = new DatabaseSync(join(dir, 'edge.lock'), { timeout: 0 })
  const until = Date.now() + LOOK_FOR
  for (;;) {
    try {
      lock.exec('BEGIN IMMEDIATE')
      return lock
    } catch (error) {
      const isHeld = (error as { errcode?: number }).errcode === 5
      const holder = isHeld ? readHolder(dir) : undefined
      const isKnown = holder !== undefined && isAlive(holder.pid)
      if (isHeld && !isKnown && Date.now() < until) {
        await pause(50)
        continue
      }
      lock.close()
      throw isHeld ? new StateError(describe(dir, isKnown ? holder : undefined), { cause: error }) : error
    }
  }
}

function describe(dir: string, holder: Holder | undefined): string {
  const who = holder === undefined ? 'another process' : `process ${holder.pid}`
  const where = holder?.address === undefined ? '' : ` at ${holder.address}`
  return `The state in ${dirname(dir)} is in use by ${who}${where}: end it, or choose another state with --persist-to.`
}

/**
 * Waits for the runtime of an edge that was killed: its watchdog ends the runtime, then itself. Should the watchdog's id belong
 * to some other process by now, this waits in vain, once.
 */
async function untilLastOneEnded(last: Holder | undefined): Promise<void> {
  if (last?.watchdogPid === undefined) return
  const until = Date.now() + LAST_ONE_ENDS_WITHIN
  while (isAlive(last.watchdogPid) && Date.now() < until) await pause(20)
}

function readHolder(dir: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(join(dir, 'edge.json'), 'utf8')) as Holder
    return Number.isInteger(holder.pid) ? holder : undefined
  } catch {
    // There is none, or it is just being written.
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It is alive, but another user's.
    return (error as { code?: string }).code === 'EPERM'
  }
}
