import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'

const INTERVAL_MS = 100
/** A process is quiet if it uses less than this many hundredths of a second of a processor in an interval. */
const QUIET_TICKS = 2
const MOST_MS = 1_500

/**
 * Waits until the processes do nothing, but no longer than 1.5 s: what is left to do after a measurement must not disturb the
 * next one. Where there is no /proc, it waits that long.
 */
export async function settle(pids: number[]): Promise<void> {
  let before = await ticksOf(pids)
  for (let waited = 0; waited < MOST_MS; waited += INTERVAL_MS) {
    await pause(INTERVAL_MS)
    const after = await ticksOf(pids)
    if (after - before < QUIET_TICKS) return
    before = after
  }
}

/** The processor time that the processes have used, in hundredths of a second; NaN if unknown. */
async function ticksOf(pids: number[]): Promise<number> {
  const times = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
      // The name, in parentheses, may have spaces. The 12th and 13th fields after it are user and system time.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return Number(fields[11]) + Number(fields[12])
    }),
  )
  return times.reduce((sum, time) => sum + time, 0)
}
