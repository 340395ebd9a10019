import { spawnSync } from 'node:child_process'

/**
 * Under npm, calls `onGone`, possibly repeatedly, once npm or the shell between npm and this process has ended. A signal to npm
 * ends that shell, which does not forward it, and a SIGKILL ends only npm. Either way this process would keep running unnoticed.
 */
export function watchNpm(onGone: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const { parent: parentOfParent, isNpm } = describe(parent)
  // Some shells exec the command. In that case npm is the parent, and the grandparent is the user's own shell.
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
