import type { Report, ReportedEntry } from '../../job.ts'
import { MAX_COUNTER_NAME } from '../../prepare-report.ts'

export const MARKER_NAMES = ['progress', 'stage', 'message', 'error', 'warning', 'count', 'add'] as const
const MARKER = /^::([a-z]+)(?:[ \t]+(.*))?$/su
/** A word, or a JSON string. */
const WORD = /^(?:"(?:[^"\\]|\\.)*"|[^\s"]\S*)(?=\s|$)/u

/**
 * Reads a line that a command printed, without its end. Returns what it reports, or undefined if it is not a marker, or not one
 * that can be read: then it is text like any other.
 */
export function parseMarker(line: string, entityType: string): Report | undefined {
  const [, name, rest = ''] = MARKER.exec(line.trimEnd()) ?? []
  switch (name as (typeof MARKER_NAMES)[number]) {
    case 'progress':
      return readProgress(rest)
    case 'stage':
      return rest === '' ? undefined : { stage: rest }
    case 'message':
      return rest === '' ? undefined : { message: rest }
    case 'count':
      return readCounter(rest)
    case 'add':
      return rest === '' ? { processedDelta: 1 } : withCount(rest, (processedDelta) => ({ processedDelta }))
    case 'error':
      return withEntry(rest, entityType, (error) => ({ error }))
    case 'warning':
      return withEntry(rest, entityType, (warning) => ({ warning }))
    default:
      return undefined
  }
}

function readProgress(text: string): Report | undefined {
  const [done = '', total, ...others] = text.split('/')
  if (others.length > 0) return undefined
  return withCount(done, (processedItems) =>
    total === undefined
      ? { processedItems }
      : withCount(total, (totalItems) => ({ processedItems, totalItems })),
  )
}

function readCounter(text: string): Report | undefined {
  const name = takeWord(text)
  // One that the client refuses would take others with it that are merged with it, before the job is there.
  if (name === undefined || name.word === '' || [...name.word].length > MAX_COUNTER_NAME) return undefined
  return withCount(name.rest || '1', (count) => ({ counters: { [name.word]: count } }))
}

function withCount(text: string, then: (count: number) => Report | undefined): Report | undefined {
  const count = Number(text)
  return /^\d+$/.test(text.trim()) && Number.isSafeInteger(count) ? then(count) : undefined
}

function withEntry(
  text: string,
  entityType: string,
  then: (entry: ReportedEntry) => Report,
): Report | undefined {
  const key = takeWord(text)
  const type = key && takeWord(key.rest)
  if (key === undefined || type === undefined) return undefined
  return then({
    entityType,
    entityKey: key.word,
    errorType: type.word,
    message: type.rest || type.word,
  })
}

function takeWord(text: string): { word: string; rest: string } | undefined {
  const [found] = WORD.exec(text) ?? []
  // "::error file=a.js,line=1::Text" is a command of GitHub Actions.
  if (found === undefined || (!found.startsWith('"') && found.includes('::'))) return undefined
  const word = found.startsWith('"') ? unquote(found) : found
  return word === undefined ? undefined : { word, rest: text.slice(found.length).trimStart() }
}

function unquote(text: string): string | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
