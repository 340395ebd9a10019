/** Sends loads from a process of its own, so the sender shares no event loop with what it measures. */
import { Client } from 'undici'
import { Exchange } from './exchange.ts'
import type { Figures, Load } from './load.ts'
import { Measurement } from './measurement.ts'

/** Counts across loads, so no report repeats an earlier one. */
let n = 0

process.on('message', async (load: Load) => {
  const result = await send(load).catch((error: unknown) => ({ error: String(error) }))
  process.send?.(result)
})
process.on('disconnect', () => process.exit())

async function send(load: Load): Promise<Figures> {
  const { url, method, paths, body, connections } = load
  const headers = Object.entries(load.headers).flat()
  const measurement = new Measurement(load)

  const sendInTurn = async (client: Client): Promise<void> => {
    for (let start = performance.now(); !measurement.isOver; ) {
      const path = (paths[n % paths.length] ?? '').replace('{n}', String(n))
      const text = body?.replaceAll('{n}', String(n)) ?? null
      n++
      const exchange = new Exchange()
      client.dispatch({ method, path, headers, body: text }, exchange)
      const bytes = await exchange.end
      const now = performance.now()
      measurement.take(start, now, bytes)
      start = now
    }
  }

  const clients = Array.from({ length: connections }, () => new Client(url, { pipelining: 1 }))
  try {
    await Promise.all(clients.map(sendInTurn))
  } finally {
    await Promise.all(clients.map((client) => client.destroy()))
  }
  return measurement.figures()
}
