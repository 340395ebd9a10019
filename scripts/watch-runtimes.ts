import { type ChildProcess, spawn } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/**
 * Reads the ids of the live runtimes, a line whenever they change, until the writer is gone. Then it kills those on the last
 * line and waits for them to go.
 */
const WATCHDOG = `
while read -r line; do pids=$line; done
for pid in $pids; do
  kill -9 $pid
  tries=0
  while kill -0 $pid && [ $tries -lt 40 ]; do tries=$((tries + 1)); sleep 0.05; done
done`

export interface RuntimeWatch {
  /** The runtime that was started last, whether or not it still runs. Throws if none was. */
  pid: () => number
  watchdogPid: number | undefined
  /** Safe to repeat. */
  dispose: () => void
}

/** Shared by all watches: Node reports the children of the whole process in one place. */
const runtimes = new Set<ChildProcess>()
let latest: ChildProcess | undefined
let watchdog: ChildProcess | undefined
let watches = 0

/**
 * Keeps track of the Workers runtimes that Miniflare starts from now on, and has them end with this process however it ends.
 * Left alone, a runtime survives a SIGKILL of its parent, holds the port and goes on writing. It has no switch against that, so
 * a shell waits at the other end of a pipe, which the operating system closes with this process.
 */
export function watchRuntimes(): RuntimeWatch {
  if (watches++ === 0) {
    watchdog = startWatchdog()
    subscribe('child_process', onChild)
  }
  let isOver = false
  const dispose = () => {
    if (isOver) return
    isOver = true
    if (--watches > 0) return
    unsubscribe('child_process', onChild)
    watchdog?.stdin?.end()
    watchdog = undefined
  }
  const pid = () => {
    if (latest?.pid === undefined) throw new Error('No runtime was started')
    return latest.pid
  }
  return { pid, watchdogPid: watchdog?.pid, dispose }
}

function onChild(message: unknown): void {
  const { process: child } = message as { process: ChildProcess }
  child.once('spawn', () => {
    if (!child.spawnfile.includes('workerd')) return
    latest = child
    runtimes.add(child)
    tellWatchdog()
    child.once('exit', () => {
      runtimes.delete(child)
      tellWatchdog()
    })
  })
}

function tellWatchdog(): void {
  watchdog?.stdin?.write(`${[...runtimes].map(({ pid }) => pid).join(' ')}\n`)
}

function startWatchdog(): ChildProcess {
  // In a session of its own: neither Ctrl-C nor a closing terminal may end it first.
  const child = spawn('sh', ['-c', WATCHDOG], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  // Without a shell everything else still works, and what is written to it is lost.
  child.on('error', () => {})
  child.stdin.on('error', () => {})
  child.unref()
  ;(child.stdin as unknown as Socket).unref()
  return child
}
