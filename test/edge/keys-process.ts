import { execFile } from 'node:child_process'
import { PROJECT } from '../../scripts/settings.ts'

/** Runs `npm run keys -- …args`. */
export function runKeys(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['scripts/keys.ts', ...args], { cwd: PROJECT }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
  })
}

/** Issues a key as an operator does, for a state on this machine. */
export async function issueByCommand(persistTo: string, org: string): Promise<string> {
  const permitted = ['job:create', 'job:read', 'job:cancel'].flatMap((permission) => [
    '--permission',
    permission,
  ])
  const { stdout, stderr, code } = await runKeys(
    ...['issue', '--local', '--persist-to', persistTo, '--org', org, '--name', 'test', ...permitted],
  )
  if (code !== 0) throw new Error(stderr)
  return stdout.trim()
}
