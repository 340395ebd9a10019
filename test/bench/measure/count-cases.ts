import { type Case, isMilepost } from '../cases.ts'
import type { Workshop } from '../contenders/contender.ts'
import type { LoadSender } from '../load/load-sender.ts'
import { COUNTS_PATH, type Counts } from '../workers/counts.ts'

/** How long each case is counted, in seconds. */
const SECONDS = 2
/** How long to send before that, where there are many jobs. */
const LEAD_IN_SECONDS = 5

export interface CaseCounts {
  name: string
  counts: Counts
  requests: number
  replyBytes: number
  seconds: number
}

/**
 * Counts what each case of Milepost asks of the runtime, in a build that counts. Nothing is timed here. What D1 gets after the
 * last reply is not in the counts, and what it gets from before the first one is: at a steady pace they are the same.
 */
export async function* countCases(
  cases: Case[],
  workshop: Workshop,
  sender: LoadSender,
): AsyncGenerator<CaseCounts> {
  for (const { name, contender } of cases) {
    if (!isMilepost(contender)) continue
    const { load, dispose } = await contender.openWith(workshop, ['counted'])
    try {
      // Wakes the objects and lets the writes to D1 find their pace.
      await sender.send({ ...load, leadIn: contender.leadIn * LEAD_IN_SECONDS, seconds: 0.1 })
      await fetch(load.url + COUNTS_PATH, { method: 'DELETE' })
      const from = Date.now()
      const { replies, replyBytes } = await sender.send({ ...load, leadIn: 0, seconds: SECONDS })
      const counts = (await (await fetch(load.url + COUNTS_PATH)).json()) as Counts
      yield { name, counts, requests: replies, replyBytes, seconds: (Date.now() - from) / 1_000 }
    } finally {
      await dispose()
    }
  }
}
