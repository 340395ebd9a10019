import { spawnSync } from 'node:child_process'

/**
 * Under npm, calls `onGone` when npm has ended, or the shell between npm and this process; it may call more than once. A signal
 * to npm ends that shell, which passes nothing on, and a SIGKILL ends npm alone: this process would run on unnoticed.
 */
export function watchNpm(onGone: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const { parent: parentOfParent, isNpm } = describe(parent)
  // Some shells give way to the one command they were given. Then npm is the parent, and above it is the user's own shell.
  const npm =
    !isNpm && parentOfParent !== undefined && describe(parentOfParent).isNpm ? parentOfParent : parent
  setInterval(() => {
    if (process.ppid !== parent || !isAlive(npm)) onGone()
  }, 200).unref()
}

function describe(pid: number): { parent?: number; isNpm: boolean } {
  const { stdout } = spawnSync('ps', ['-o', 'ppid=,args=', '-p', String(pid)], { encoding: 'utf8' })
  const [, parent, command] = /^\s*(\d+)\s+(.*)/.exec(stdout ?? '') ?? []
  if (parent === undefined || command === undefined) return { isNpm: false }
  return { parent: Number(parent), isNpm: /(^|[/\s])npm(-cli\.js)?(\s|$)/.test(command) }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
