/** Watches one job as often as its argument says, in a process of its own. It tells its parent once all have an event. */
import { setTimeout as pause } from 'node:timers/promises'
import { Agent, fetch } from 'undici'

const [url = '', authorization = '', count = '0'] = process.argv.slice(2)
process.on('disconnect', () => process.exit())

const dispatcher = new Agent({ bodyTimeout: 0, headersTimeout: 60_000, connectTimeout: 60_000 })

await Promise.all(
  Array.from({ length: Number(count) }, async (_, n) => {
    await pause(n)
    const response = await fetch(url, { headers: { Authorization: authorization }, dispatcher })
    const reader = response.body?.getReader()
    if (!response.ok || reader === undefined) throw new Error(`A watcher got ${response.status}`)
    await reader.read()
    readOn(reader)
  }),
)
process.send?.('watching')

/** Takes the events as they come, as a watcher does. */
async function readOn(reader: { read: () => Promise<{ done: boolean }> }): Promise<void> {
  for (let done = false; !done; ) done = (await reader.read()).done
}
