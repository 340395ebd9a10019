import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { StateError } from './state-error.ts'

/** How long to look for the holder's note. It is written just after the lock is taken. */
const NOTE_TIMEOUT_MS = 1_000
/** How long to wait for the runtime of an edge that was killed. */
const OLD_RUNTIME_TIMEOUT_MS = 3_000

/** Keeps a reference to each lock: the garbage collector closes an unreferenced database, which drops its lock. */
const held = new Set<DatabaseSync>()

/** The note that the holder of a lock leaves in the state folder. */
interface Holder {
  pid: number
  /** Its URL, once it is listening. */
  address?: string | undefined
  /** The process that ends its runtime if the holder is killed. */
  watchdogPid?: number | undefined
}

export interface StateLock {
  /** Adds to the note. Throws if the file cannot be written. */
  announce: (more: Partial<Holder>) => void
  /** Safe to repeat. */
  release: () => void
}

/**
 * Locks the state in `dir` for this process: two processes would each keep their own version of every job. Throws a StateError
 * that names the current holder.
 *
 * Node has no file locks, so this uses SQLite's, on an empty file. The operating system drops the lock when the process ends,
 * however it ends. A crash or a reboot never leaves a stale lock behind.
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
    await waitForOldRuntime(readHolder(dir))
    announce({})
    return { announce, release }
  } catch (error) {
    release()
    throw error
  }
}

async function take(dir: string): Promise<DatabaseSync> {
  const lock = new DatabaseSync(join(dir, 'edge.lock'), { timeout: 0 })
  const until = Date.now() + NOTE_TIMEOUT_MS
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
 * Waits for the runtime of an edge that was killed: its watchdog ends the runtime, then itself. If another process has the
 * watchdog's id by now, this waits for the full timeout, once.
 */
async function waitForOldRuntime(last: Holder | undefined): Promise<void> {
  if (last?.watchdogPid === undefined) return
  const until = Date.now() + OLD_RUNTIME_TIMEOUT_MS
  while (isAlive(last.watchdogPid) && Date.now() < until) await pause(20)
}

function readHolder(dir: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(join(dir, 'edge.json'), 'utf8')) as Holder
    return Number.isInteger(holder.pid) ? holder : undefined
  } catch {
    // No note yet, or it is half written.
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Alive, but owned by another user.
    return (error as { code?: string }).code === 'EPERM'
  }
}
