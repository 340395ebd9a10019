import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'

const PACKAGE = resolve('clients/python')

/** Whether there is a `python3` on the path: all that the tests of the Python client need. */
export const HAS_PYTHON = spawnSync('python3', ['--version']).status === 0

interface Script {
  process: ChildProcess
  /** Resolves once the script has printed a line that starts with `text`, and returns the rest of that line. */
  printed: (text: string) => Promise<string>
  /** The exit code (null: killed) and all output, once it has ended. */
  ended: Promise<{ code: number | null; output: string }>
}

/** Starts `python3` with `args`. The package is on its path: by default as it is in the repository. */
export function startPython(args: string[], env: Record<string, string> = {}, path = PACKAGE): Script {
  const process_ = spawn('python3', ['-B', '-u', ...args], {
    cwd: PACKAGE,
    env: { ...process.env, PYTHONPATH: path, NO_PROXY: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const add = (chunk: Buffer) => {
    output += chunk
  }
  process_.stdout.on('data', add)
  process_.stderr.on('data', add)
  const ended = once(process_, 'close').then(([code]) => ({ code, output }))
  const printed = async (text: string) => {
    for (;;) {
      const line = output
        .split('\n')
        .slice(0, -1)
        .find((printed) => printed.startsWith(text))
      if (line !== undefined) return line.slice(text.length).trim()
      if (process_.exitCode !== null) throw new Error(`It ended without printing ${text}:\n${output}`)
      await Promise.race([once(process_.stdout, 'data'), ended])
    }
  }
  return { process: process_, printed, ended }
}
