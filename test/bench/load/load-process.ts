/** Sends loads in a process of its own, so the one that sends shares nothing with the one that is measured. */
import { Client } from 'undici'
import { Exchange } from './exchange.ts'
import type { Figures, Load } from './load.ts'

let n = 0

process.on('message', async (load: Load) => {
  const result = await send(load).catch((error: unknown) => ({ error: String(error) }))
  process.send?.(result)
})
process.on('disconnect', () => process.exit())

async function send(load: Load): Promise<Figures> {
  const { url, method, paths, body, connections, leadIn, seconds } = load
  const headers = Object.entries(load.headers).flat()
  const from = performance.now() + leadIn * 1_000
  const end = from + seconds * 1_000
  const times: number[] = []
  let sent = 0
  let replyBytes = 0

  const sendInTurn = async (client: Client): Promise<void> => {
    for (let start = performance.now(); start < end; ) {
      const path = paths[n % paths.length] ?? ''
      const text = body?.replaceAll('{n}', String(n)) ?? null
      n++
      sent++
      const exchange = new Exchange()
      client.dispatch({ method, path, headers, body: text }, exchange)
      const bytes = await exchange.end
      replyBytes += bytes
      const now = performance.now()
      if (now >= from && now < end) times.push(now - start)
      start = now
    }
  }

  const clients = Array.from({ length: connections }, () => new Client(url, { pipelining: 1 }))
  try {
    await Promise.all(clients.map(sendInTurn))
  } finally {
    await Promise.all(clients.map((client) => client.destroy()))
  }
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor((times.length - 1) * share)] ?? 0
  return { perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99), sent, replyBytes }
}
