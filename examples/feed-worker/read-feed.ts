import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout } from 'node:timers'
import type { FeedRow } from './check-row.ts'
import { FeedError } from './feed-error.ts'
import { guessFormat, parseFeed } from './parse-feed.ts'
import { readHead } from './read-head.ts'
import { unpackFeed } from './unpack-feed.ts'

interface ReadOptions {
  /** When aborted, reading ends immediately with the signal's reason. */
  signal?: AbortSignal | undefined
  /** How many milliseconds a download may stay silent before it fails. Default 60,000. */
  longestSilenceMs?: number
}

interface OpenFeed {
  /** Its extension tells whether it is gzip, and often its format. */
  name: string
  contentType: string
  chunks: AsyncIterable<Uint8Array>
}

/** Enough to find the first non-whitespace character. */
const HEAD_BYTES = 1_024

/** Reads the rows of a product file at a path or an http(s) URL, gzip or plain. Throws FeedError, or the signal's reason. */
export async function readFeed(source: string, options: ReadOptions = {}): Promise<FeedRow[]> {
  const { signal, longestSilenceMs = 60_000 } = options
  signal?.throwIfAborted()
  const finished = new AbortController()
  // Aborting the streams is not enough: opening a named pipe without a writer hangs and cannot be aborted.
  const stopped = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { signal: finished.signal })
  })
  const read = async () => {
    const until = AbortSignal.any(signal ? [signal, finished.signal] : [finished.signal])
    const feed = isUrl(source) ? await download(source, longestSilenceMs, until) : load(source, until)
    const { head, all } = await readHead(unpackFeed(feed.name, feed.chunks), HEAD_BYTES)
    return parseFeed(all, guessFormat(feed.name, feed.contentType, new TextDecoder().decode(head)))
  }
  try {
    return await Promise.race([read(), stopped])
  } finally {
    // A rejected feed would leave its connection open, which keeps the process alive.
    finished.abort()
  }
}

/** Names the source for the job: a file's base name, or a URL without credentials and query, which may hold secrets. */
export function nameFeed(source: string): string {
  if (!isUrl(source)) return basename(source)
  const { origin, pathname } = new URL(source)
  return `${origin}${pathname}`
}

function isUrl(source: string): boolean {
  return /^https?:\/\//i.test(source)
}

function load(path: string, signal: AbortSignal): OpenFeed {
  const name = nameFeed(path)
  async function* read() {
    try {
      yield* createReadStream(path, { signal })
    } catch (cause) {
      const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
      throw new FeedError(`${name} ${missing ? 'does not exist' : 'cannot be read'}`, { cause })
    }
  }
  return { name, contentType: '', chunks: read() }
}

async function download(url: string, longestSilenceMs: number, signal: AbortSignal): Promise<OpenFeed> {
  const name = nameFeed(url)
  const silence = new AbortController()
  // Each chunk restarts the timer: a slow download may take long if it keeps arriving.
  const timer = setTimeout(() => silence.abort(), longestSilenceMs).unref()
  const explain = (cause: unknown) => {
    const what = silence.signal.aborted
      ? `sent nothing for ${longestSilenceMs / 1_000} s`
      : 'cannot be downloaded'
    return new FeedError(`${name} ${what}`, { cause })
  }
  let response: Response
  try {
    response = await fetch(url, { signal: AbortSignal.any([signal, silence.signal]) })
  } catch (cause) {
    throw explain(cause)
  }
  if (!response.ok) throw new FeedError(`${name} answered ${response.status}`)
  async function* read() {
    try {
      for await (const chunk of response.body ?? []) {
        timer.refresh()
        yield chunk
      }
    } catch (cause) {
      throw explain(cause)
    }
  }
  // fetch decodes a content-encoding, so a file named .gz may no longer be gzip.
  const isDecoded = response.headers.has('content-encoding')
  return {
    name: isDecoded ? name.replace(/\.gz$/i, '') : name,
    contentType: response.headers.get('content-type') ?? '',
    chunks: read(),
  }
}
