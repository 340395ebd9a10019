import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { PROJECT } from '../../scripts/settings.ts'

/** As built by `npm ci`, `npm test` and `npm run check`: the sources take three times as long to start. */
const MAIN = `${PROJECT}/clients/typescript/dist/cli/main.js`
/** A command line, for a shell. */
export const MILEPOST = `'${process.execPath}' '${MAIN}'`

interface Settings {
  env?: Record<string, string>
  /** What it reads. Default: nothing. */
  input?: string
}

/** Starts `milepost …args`. */
export function startCli(args: string[], settings: Settings = {}) {
  return start(process.execPath, [MAIN, ...args], settings)
}

/** Starts a shell's command line in a pseudo-terminal of its own, 60 columns wide. Its output is all in `stdout`. */
export function startInTerminal(line: string, settings: Settings = {}) {
  return start('script', ['-qec', `stty cols 60; exec ${line}`, '/dev/null'], settings)
}

function start(file: string, args: string[], { env, input }: Settings) {
  const options: SpawnOptions = { cwd: PROJECT, env: { ...bareEnvironment(), ...env }, stdio: 'pipe' }
  const child = spawn(file, args, options)
  const output = { stdout: '', stderr: '' }
  child.stdout?.on('data', (data) => {
    output.stdout += data
  })
  child.stderr?.on('data', (data) => {
    output.stderr += data
  })
  if (input !== undefined) child.stdin?.end(input)
  return { child, output, ended: end(child, output) }
}

async function end(child: ChildProcess, output: { stdout: string; stderr: string }) {
  const [code, signal] = await once(child, 'close')
  return { ...output, code: (code ?? signal) as number | string }
}

/** The environment without what would change the results. */
function bareEnvironment(): Record<string, string | undefined> {
  const { MILEPOST_URL, MILEPOST_API_KEY, MILEPOST_JOB_ID, NO_COLOR, NODE_OPTIONS, ...others } = process.env
  return { ...others, TERM: 'xterm', NODE_NO_WARNINGS: '1' }
}
