import type { Contender, Opened, Workshop } from '../contenders/contender.ts'
import type { Figures } from '../load/load.ts'
import type { LoadSender } from '../load/load-sender.ts'
import { settle } from './settle.ts'

export interface Timing {
  rounds: number
  /** How long each contender is measured in each round. */
  seconds: number
}

export type Measured = Map<Contender, Figures[]>

/**
 * Opens the contenders and measures each once a round, in turn, so what disturbs the machine for a while disturbs all of them.
 * Every second round goes backwards.
 */
export async function measureInTurn(
  contenders: Contender[],
  workshop: Workshop,
  sender: LoadSender,
  { rounds, seconds }: Timing,
  say: (line: string) => void,
): Promise<Measured> {
  const measured: Measured = new Map(contenders.map((contender) => [contender, []]))
  const opened = new Map<Contender, Opened>()
  try {
    for (const contender of contenders) {
      say(`opening ${contender.name}`)
      opened.set(contender, await contender.open(workshop))
    }
    for (let round = 0; round < rounds; round++) {
      const order = [...opened]
      if (round % 2 === 1) order.reverse()
      for (const [contender, { load, pids }] of order) {
        await settle(pids)
        const leadIn = contender.leadIn * seconds
        const figures = await sender.send({ ...load, leadIn, seconds })
        await settle(pids)
        measured.get(contender)?.push(figures)
        say(`${contender.name}: ${figures.perSecond.toFixed(0)}/s`)
      }
    }
    return measured
  } finally {
    await Promise.all([...opened.values()].map(({ dispose }) => dispose()))
  }
}
