import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, vi } from 'vitest'
import { PROJECT } from '../../scripts/settings.ts'

export interface StartProcess {
  child: ChildProcess
  /** Its output so far. */
  said: { stdout: string; stderr: string }
  /** Resolves with its exit code. */
  ended: Promise<number | null>
  /** Resolves with its URL once it listens. */
  url: () => Promise<string>
}

/** Runs `npm start` with these flags, or `command`, as a process. */
export function startProcess(
  flags: string[],
  [command, ...args]: [string, ...string[]] = [process.execPath, 'scripts/start.ts'],
): StartProcess {
  const child = spawn(command, [...args, ...flags], { cwd: PROJECT, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  child.stdout?.on('data', (data) => (said.stdout += data))
  child.stderr?.on('data', (data) => (said.stderr += data))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const url = async () => {
    await vi.waitFor(() => expect(said.stdout).toContain('is running at'), { timeout: 60_000, interval: 50 })
    return /is running at (\S+)/.exec(said.stdout)?.[1] ?? ''
  }
  return { child, said, ended, url }
}

/** The IDs and commands of all processes below one. */
export function descendantsOf(pid: number): { pid: number; command: string }[] {
  const all = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)/.exec(line))
    .flatMap((found) =>
      found ? [{ pid: Number(found[1]), parent: Number(found[2]), command: found[3] ?? '' }] : [],
    )
  const below = (parent: number): typeof all =>
    all.filter((each) => each.parent === parent).flatMap((child) => [child, ...below(child.pid)])
  return below(pid).map(({ pid, command }) => ({ pid, command }))
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
