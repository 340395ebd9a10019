import { Agent, fetch } from 'undici'
import type { Load } from './load.ts'

const LANES = 64

/** Sends one request to each path. An object's first write creates its database, which no later one does. */
export async function sendEach({
  url,
  method,
  paths,
  headers,
  body,
}: Omit<Load, 'leadIn' | 'seconds'>): Promise<void> {
  const dispatcher = new Agent({ connections: LANES })
  const left = [...paths]
  const sendInTurn = async () => {
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      const text = body?.replaceAll('{n}', '0') ?? null
      const response = await fetch(url + path, { method, headers, body: text, dispatcher })
      await response.arrayBuffer()
      if (!response.ok) throw new Error(`${url}${path}: ${response.status}`)
    }
  }
  await Promise.all(Array.from({ length: LANES }, sendInTurn))
  await dispatcher.close()
}
