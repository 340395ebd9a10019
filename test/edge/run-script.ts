import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { PROJECT } from '../../scripts/settings.ts'

export interface Run {
  /** Null if it was killed. */
  code: number | null
  stdout: string
  stderr: string
}

/** Runs `node scripts/<name>.ts …args`, as `npm run` does. `onLine` is called with each line of stderr, as it comes. */
export async function runScript(
  name: string,
  args: string[],
  onLine: (line: string, child: ChildProcess) => void = () => {},
): Promise<Run> {
  const child = spawn(process.execPath, [`scripts/${name}.ts`, ...args], { cwd: PROJECT })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => {
    stdout += data
  })
  let rest = ''
  child.stderr.on('data', (data) => {
    stderr += data
    const lines = `${rest}${data}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line, child)
  })
  const [code] = await once(child, 'close')
  return { code: code as number | null, stdout, stderr }
}
