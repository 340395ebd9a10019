import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { Readable } from 'node:stream'
import { openPipe } from './open-pipe.ts'

export interface Child {
  stdout: Readable
  stderr: Readable
  /** Resolves when the process has ended, or could not be started. Some of its output may still be on its way. */
  ended: Promise<ChildEnd>
  kill(signal: NodeJS.Signals): void
}

interface ChildEnd {
  /** As a shell gives it: 128 + N for a command that signal N killed, 127 for one that is not there. */
  exitCode: number
  /** "Exit code 3", "Killed by SIGTERM"; undefined for success. */
  failure: string | undefined
  wasStarted: boolean
}

/** Starts a command with this process's stdin, and pipes for its output. Does not throw. */
export function startChild(command: string[], environment: NodeJS.ProcessEnv): Child {
  const [file = '', ...args] = command
  const [out, err] = [openPipe(), openPipe()]
  const child = spawnOrFail(file, args, {
    env: environment,
    stdio: ['inherit', out?.writeEnd ?? 'pipe', err?.writeEnd ?? 'pipe'],
  })
  out?.closeWriteEnd()
  err?.closeWriteEnd()
  if (child instanceof Error) {
    const ended = Promise.resolve(describeStartFailure(file, child))
    return { stdout: Readable.from([]), stderr: Readable.from([]), ended, kill() {} }
  }
  const ended = new Promise<ChildEnd>((resolve) => {
    child.on('exit', (code, signal) => resolve(describeEnd(code, signal)))
    // Also emitted when a signal could not be sent: then the child goes on, and its exit counts.
    child.on('error', (error) => {
      if (child.pid === undefined) resolve(describeStartFailure(file, error))
    })
  })
  return {
    stdout: (out?.readEnd ?? child.stdout) as Readable,
    stderr: (err?.readEnd ?? child.stderr) as Readable,
    ended,
    kill: (signal) => void child.kill(signal),
  }
}

/** Most failures are an event, but some are thrown, such as arguments that are too long in all. */
function spawnOrFail(file: string, args: string[], options: SpawnOptions): ChildProcess | Error {
  try {
    return spawn(file, args, options)
  } catch (error) {
    return error as Error
  }
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null): ChildEnd {
  if (signal !== null)
    return {
      exitCode: 128 + (constants.signals[signal] ?? 0),
      failure: `Killed by ${signal}`,
      wasStarted: true,
    }
  return { exitCode: code ?? 1, failure: code === 0 ? undefined : `Exit code ${code}`, wasStarted: true }
}

function describeStartFailure(file: string, { code }: NodeJS.ErrnoException): ChildEnd {
  if (code === 'ENOENT') return { exitCode: 127, failure: `${file}: command not found`, wasStarted: false }
  return { exitCode: 126, failure: `${file}: cannot be started (${code})`, wasStarted: false }
}
