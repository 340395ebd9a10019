import type { Workshop } from '../contenders/contender.ts'
import { line } from '../print.ts'
import { measureWithNeighbor } from './measure-with-neighbor.ts'

/** Prints how long one organization waits for its list of jobs, alone and next to another that does its worst. */
export async function printNeighbors({ mileposts }: Workshop): Promise<void> {
  console.log(
    '\nHow long one organization waits for its list of jobs, in ms, next to another that does its worst\n',
  )
  line('', 'alone p50', 'p99', 'busy p50', 'p99', 'ratio p50', 'p99')
  const server = await mileposts.open({ bindings: { ARCHIVE_AFTER_SECONDS: 1 } })
  try {
    for await (const { act, alone, busy } of measureWithNeighbor(server)) {
      const waits = [alone.p50, alone.p99, busy.p50, busy.p99].map((ms) => ms.toFixed(1))
      line(act, ...waits, (busy.p50 / alone.p50).toFixed(1), (busy.p99 / alone.p99).toFixed(1))
    }
  } finally {
    await server.dispose()
  }
}
