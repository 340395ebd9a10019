import type { Clock, Fetch, MilepostOptions } from './options.ts'
import { LONGEST_TIMER_MS, systemClock } from './system-clock.ts'

/** How to reach the API, with every default filled in. */
export interface Connection {
  /** Without a slash at its end. */
  url: string
  headers: Record<string, string>
  giveUpAfterMs: number
  attemptTimeoutMs: number
  fetch: Fetch
  clock: Clock
}

/** Throws a TypeError without a valid URL, without a key that can be sent, or with a time limit that is none. */
export function connect(options: MilepostOptions): Connection {
  const url = options.url ?? readEnvironment('MILEPOST_URL')
  const key = (options.key ?? readEnvironment('MILEPOST_API_KEY'))?.trim()
  if (!url) throw new TypeError('The URL of the API is missing: pass url, or set MILEPOST_URL')
  if (!/^https?:$/.test(parseUrl(url)?.protocol ?? '')) throw new TypeError(`Not an http(s) URL: ${url}`)
  if (!key) throw new TypeError('The key is missing: pass key, or set MILEPOST_API_KEY')
  // Don't let fetch reject the header: its error would quote the key.
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new TypeError('The key contains characters that are not allowed in a header')
  const { giveUpAfterMs = 60_000, attemptTimeoutMs = 10_000 } = options
  if (!(giveUpAfterMs >= 0)) throw new TypeError('giveUpAfterMs should be 0 or more')
  if (!(attemptTimeoutMs > 0)) throw new TypeError('attemptTimeoutMs should be more than 0')
  return {
    url: url.replace(/\/+$/, ''),
    headers: {
      authorization: `Bearer ${key}`,
      ...(options.organizationId !== undefined && { 'x-organization-id': options.organizationId }),
    },
    giveUpAfterMs,
    attemptTimeoutMs: Math.min(LONGEST_TIMER_MS, attemptTimeoutMs),
    // On Workers, the global fetch must not be called as a method of another object.
    fetch: options.fetch ?? ((to, init) => fetch(to, init)),
    clock: options.clock ?? systemClock,
  }
}

function parseUrl(url: string): URL | undefined {
  try {
    return new URL(url)
  } catch {
    return undefined
  }
}

/** Browsers have no environment, and Deno refuses to read it without permission. */
function readEnvironment(name: string): string | undefined {
  try {
    const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } }
    return process?.env?.[name]
  } catch {
    return undefined
  }
}
