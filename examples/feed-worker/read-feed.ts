import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { parse } from 'csv-parse/sync'
import type { FeedRow } from './check-row.ts'

export type FeedFormat = 'csv' | 'json' | 'jsonl'

/** The feed cannot be used at all; the message is for people and holds no secrets. */
export class FeedError extends Error {
  override name = 'FeedError'
}

const LARGEST_BYTES = 256 * 1024 * 1024
const DOWNLOAD_TIMEOUT_MS = 60_000

/** The rows of a product file at a path or an http(s) URL. Throws FeedError. */
export async function readFeed(source: string): Promise<FeedRow[]> {
  const { bytes, contentType } = isUrl(source) ? await download(source) : await load(source)
  if (bytes.byteLength > LARGEST_BYTES)
    throw new FeedError(`${nameFeed(source)} is over ${LARGEST_BYTES} bytes`)
  // Not fatal: a letter in another encoding becomes U+FFFD and a warning of its row, rather than the end of the import.
  const text = new TextDecoder().decode(bytes)
  return parseFeed(text, guessFormat(nameFeed(source), contentType, text))
}

/** The source as a job may show it: a file's name, a URL without the secrets that its query or user part may hold. */
export function nameFeed(source: string): string {
  if (!isUrl(source)) return basename(source)
  const { origin, pathname } = new URL(source)
  return `${origin}${pathname}`
}

/** The rows in `text`. A row that cannot be read is a row with a problem; a file that cannot be read is a FeedError. */
export function parseFeed(text: string, format: FeedFormat): FeedRow[] {
  switch (format) {
    case 'csv':
      return parseCsv(text)
    case 'json':
      return parseJsonArray(text)
    case 'jsonl':
      return parseJsonLines(text)
  }
}

/** By the name, else by what the server said, else by how the text begins. */
export function guessFormat(name: string, contentType: string, text: string): FeedFormat {
  const extension = extname(name).toLowerCase()
  if (extension === '.csv') return 'csv'
  if (extension === '.jsonl' || extension === '.ndjson') return 'jsonl'
  if (extension === '.json') return 'json'
  if (/csv/i.test(contentType)) return 'csv'
  if (/jsonl|ndjson|jsonlines/i.test(contentType)) return 'jsonl'
  if (/json/i.test(contentType)) return 'json'
  const start = text.trimStart().charAt(0)
  if (start === '[') return 'json'
  return start === '{' ? 'jsonl' : 'csv'
}

function parseCsv(text: string): FeedRow[] {
  let records: { record: unknown; info: { error?: Error } }[]
  try {
    // info carries the error of a record with too many or too few cells, which is then one bad row and not a bad file.
    records = parse(text, {
      bom: true,
      columns: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as typeof records
  } catch (cause) {
    throw new FeedError(`The file is not CSV: ${messageOf(cause)}`, { cause })
  }
  return records.map(({ record, info }, index) =>
    info.error ? { number: index + 1, problem: info.error.message } : { number: index + 1, value: record },
  )
}

function parseJsonArray(text: string): FeedRow[] {
  let rows: unknown
  try {
    rows = JSON.parse(text)
  } catch (cause) {
    throw new FeedError(`The file is not JSON: ${messageOf(cause)}`, { cause })
  }
  if (!Array.isArray(rows)) throw new FeedError('The file is JSON, but not an array of rows')
  return rows.map((value: unknown, index) => ({ number: index + 1, value }))
}

function parseJsonLines(text: string): FeedRow[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line, index) => {
    try {
      return { number: index + 1, value: JSON.parse(line) as unknown }
    } catch (cause) {
      return { number: index + 1, problem: `The line is not JSON: ${messageOf(cause)}` }
    }
  })
}

async function load(path: string): Promise<{ bytes: Uint8Array; contentType: string }> {
  try {
    return { bytes: await readFile(path), contentType: '' }
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    throw new FeedError(`${nameFeed(path)} ${missing ? 'does not exist' : 'cannot be read'}`, { cause })
  }
}

async function download(url: string): Promise<{ bytes: Uint8Array; contentType: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) })
    if (!response.ok) throw new FeedError(`${nameFeed(url)} answered ${response.status}`)
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength
      // Before it is all in memory: the server may send without end.
      if (size > LARGEST_BYTES) throw new FeedError(`${nameFeed(url)} is over ${LARGEST_BYTES} bytes`)
      chunks.push(chunk)
    }
    return { bytes: Buffer.concat(chunks), contentType: response.headers.get('content-type') ?? '' }
  } catch (cause) {
    if (cause instanceof FeedError) throw cause
    throw new FeedError(`${nameFeed(url)} cannot be downloaded`, { cause })
  }
}

function isUrl(source: string): boolean {
  return /^https?:\/\//i.test(source)
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
