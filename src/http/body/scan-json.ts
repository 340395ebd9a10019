/** Where a text is not JSON, and why. */
export interface JsonFault {
  /** Index into the text, in UTF-16 code units. */
  position: number
  /** One line in our own words, not the engine's. */
  error: string
}

/** A NaN, Infinity or -Infinity: not JSON, but some serializers write them. */
export interface StrayNumber {
  position: number
  token: string
}

type JsonScan = { ok: true; strays: StrayNumber[] } | ({ ok: false } & JsonFault)

type State = 'value' | 'first value' | 'key' | 'first key' | 'after value'

const WHITESPACE = /[ \t\n\r]*/y
const SCALAR = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y
const STRAY = /NaN|-?Infinity/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

/**
 * Finds the first error in a text that `JSON.parse` refused. Not recursive, so nesting cannot overflow the stack. Numbers
 * that JSON does not have are accepted and listed in `strays`.
 */
export function scanJson(text: string): JsonScan {
  const strays: StrayNumber[] = []
  const closers: ('}' | ']')[] = []
  let state: State = 'value'
  let at = 0
  for (;;) {
    at = endOf(WHITESPACE, text, at) ?? at
    const char = text[at]
    const closer = closers.at(-1)
    if (state === 'first value' || state === 'first key') {
      if (char === closer) {
        closers.pop()
        at += 1
        state = 'after value'
      } else {
        state = state === 'first key' ? 'key' : 'value'
      }
    } else if (state === 'after value') {
      if (closer === undefined) {
        return at === text.length ? { ok: true, strays } : faultAt(at, 'Nothing may follow the value')
      }
      if (char !== ',' && char !== closer) return faultAt(at, `Expected ',' or '${closer}'`)
      if (char === closer) closers.pop()
      else state = closer === '}' ? 'key' : 'value'
      at += 1
    } else if (state === 'key') {
      if (char !== '"') return faultAt(at, 'Expected a name in double quotes')
      const string = scanString(text, at)
      if (typeof string !== 'number') return string
      at = endOf(WHITESPACE, text, string) ?? string
      if (text[at] !== ':') return faultAt(at, "Expected ':'")
      at += 1
      state = 'value'
    } else if (char === '{' || char === '[') {
      closers.push(char === '{' ? '}' : ']')
      at += 1
      state = char === '{' ? 'first key' : 'first value'
    } else {
      const end = char === '"' ? scanString(text, at) : scanScalar(text, at, strays)
      if (typeof end !== 'number') return end
      at = end
      state = 'after value'
    }
  }
}

/** The end of the string that starts at `start`, after its closing quote. */
function scanString(text: string, start: number): number | (JsonScan & { ok: false }) {
  for (let at = start + 1; at < text.length; ) {
    const code = text.charCodeAt(at)
    if (code === 0x22) return at + 1
    if (code < 0x20) return faultAt(at, 'Control characters in strings must be escaped')
    if (code !== 0x5c) {
      at += 1
      continue
    }
    const end = endOf(ESCAPE, text, at)
    if (end === undefined) return faultAt(at, 'Unknown escape in a string')
    at = end
  }
  return faultAt(start, 'The string is never closed')
}

function scanScalar(text: string, at: number, strays: StrayNumber[]): number | (JsonScan & { ok: false }) {
  const stray = endOf(STRAY, text, at)
  if (stray !== undefined) strays.push({ position: at, token: text.slice(at, stray) })
  return stray ?? endOf(SCALAR, text, at) ?? faultAt(at, 'Expected a value')
}

function endOf(sticky: RegExp, text: string, at: number): number | undefined {
  sticky.lastIndex = at
  return sticky.test(text) ? sticky.lastIndex : undefined
}

function faultAt(position: number, error: string): JsonScan & { ok: false } {
  return { ok: false, position, error }
}
