import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PROJECT } from '../../../scripts/settings.ts'
import { median } from '../measure/figures.ts'

const TIMES = 3

/** V8's names for time in which no code of the Worker runs. */
const NOT_THE_WORKER = ['(idle)', '(program)']

interface Profile {
  nodes: { id: number; callFrame: { functionName: string } }[]
  samples: number[]
  /** In microseconds. */
  timeDeltas: number[]
}

/** How long the Worker's code takes to load, in ms: the processor time in wrangler's profile of a start. */
export async function measureStartUp(dir: string): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < TIMES; n++) {
    const outfile = join(dir, `start-up-${n}.cpuprofile`)
    const wrangler = join(PROJECT, 'node_modules/wrangler/bin/wrangler.js')
    const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' }
    await promisify(execFile)(process.execPath, [wrangler, 'check', 'startup', '--outfile', outfile], {
      cwd: PROJECT,
      env,
    })
    times.push(busyTime(JSON.parse(await readFile(outfile, 'utf8'))))
  }
  return median(times)
}

function busyTime({ nodes, samples, timeDeltas }: Profile): number {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName]))
  const deltas = samples.map((id, n) =>
    NOT_THE_WORKER.includes(names.get(id) ?? '') ? 0 : (timeDeltas[n] ?? 0),
  )
  return deltas.reduce((sum, delta) => sum + delta, 0) / 1_000
}
