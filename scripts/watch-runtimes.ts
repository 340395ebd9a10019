import { type ChildProcess, spawn } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/**
 * Reads a line with the ids of the live runtimes whenever they change. When the pipe closes, it kills those on the last line and
 * waits for them to end.
 */
const WATCHDOG = `
while read -r line; do pids=$line; done
for pid in $pids; do
  kill -9 $pid
  tries=0
  while kill -0 $pid && [ $tries -lt 40 ]; do tries=$((tries + 1)); sleep 0.05; done
done`

export interface RuntimeWatch {
  /** The process id of the newest runtime, running or not. Throws if none was started. */
  pid: () => number
  watchdogPid: number | undefined
  /** Safe to repeat. */
  dispose: () => void
}

/** Shared by all watches: Node reports child processes for the whole process. */
const runtimes = new Set<ChildProcess>()
let latest: ChildProcess | undefined
let watchdog: ChildProcess | undefined
let watches = 0

/**
 * Tracks the Workers runtimes that Miniflare starts from now on, and ends them with this process, however it ends. On its own, a
 * runtime survives a SIGKILL of its parent, keeps the port and keeps writing. workerd has no option against that, so a shell
 * waits on a pipe that the operating system closes when this process ends.
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
  // Detached: neither Ctrl-C nor a closing terminal may end the watchdog first.
  const child = spawn('sh', ['-c', WATCHDOG], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  // If there is no shell, everything but the watchdog still works. Writes to it are lost.
  child.on('error', () => {})
  child.stdin.on('error', () => {})
  child.unref()
  ;(child.stdin as unknown as Socket).unref()
  return child
}
