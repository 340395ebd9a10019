import { MAX_BODY_DEPTH } from '../../jobs/limits.ts'
import { type JsonFault, type StrayNumber, scanJson } from './scan-json.ts'

/**
 * `stray`: the value holds a NaN or an infinity, as Python writes them; it is parsed as Infinity. The value must be
 * refused, but its other errors can still be reported.
 */
type ParsedJson =
  | { ok: true; value: unknown; stray?: JsonFault }
  | { ok: false; reason: 'not_text' }
  | ({ ok: false; reason: 'not_json' } & JsonFault)

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/** Parses a body in UTF-8, UTF-16 or UTF-32, with or without a byte order mark. If a key occurs twice, the last one wins. */
export function parseJson(bytes: Uint8Array): ParsedJson {
  const text = decodeJson(bytes)
  if (text === null) return { ok: false, reason: 'not_text' }
  const tooDeep = findTooDeep(text)
  if (tooDeep !== null) {
    const error = `Nested more than ${MAX_BODY_DEPTH} levels deep`
    return { ok: false, reason: 'not_json', position: tooDeep, error }
  }
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch {
    const scan = scanJson(text)
    if (!scan.ok) return { ...scan, reason: 'not_json' }
    const [first] = scan.strays
    if (!first) throw new Error('JSON.parse refused a text in which the scan found no error')
    const stray = { position: first.position, error: `${first.token} is not a JSON number` }
    return { ok: true, value: JSON.parse(withoutStrays(text, scan.strays)), stray }
  }
}

/** A number too large for a double is parsed as Infinity, so it can replace the tokens that JSON does not have. */
function withoutStrays(text: string, strays: readonly StrayNumber[]): string {
  const parts: string[] = []
  let done = 0
  for (const { position, token } of strays) {
    parts.push(text.slice(done, position), token.startsWith('-') ? '-1e999' : '1e999')
    done = position + token.length
  }
  return parts.join('') + text.slice(done)
}

/** Where the text first nests deeper than MAX_BODY_DEPTH. Scans the text: walking a value means building it first. */
function findTooDeep(text: string): number | null {
  // Each level takes two brackets.
  if (text.length <= 2 * MAX_BODY_DEPTH) return null
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (inString) {
      if (code === 0x5c) at += 1
      else if (code === 0x22) inString = false
    } else if (code === 0x22) {
      inString = true
    } else if (code === 0x5b || code === 0x7b) {
      depth += 1
      if (depth > MAX_BODY_DEPTH) return at
    } else if (code === 0x5d || code === 0x7d) {
      depth -= 1
    }
  }
  return null
}

/** Decodes a JSON body; null if it is not text. The positions of zero bytes among the first four give the encoding. */
function decodeJson(bytes: Uint8Array): string | null {
  const [a, b, c, d] = bytes
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? utf32(bytes, 4, true) : utf16(bytes, 2, true)
  if (a === 0xfe && b === 0xff) return utf16(bytes, 2, false)
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return utf32(bytes, 4, false)
  if (bytes.length >= 4) {
    if (a === 0) return b === 0 ? utf32(bytes, 0, false) : utf16(bytes, 0, false)
    if (b === 0) return c === 0 && d === 0 ? utf32(bytes, 0, true) : utf16(bytes, 0, true)
  } else if (bytes.length === 2 && (a === 0 || b === 0)) {
    return utf16(bytes, 0, b === 0 && a !== 0)
  }
  try {
    return utf8.decode(bytes)
  } catch {
    return null
  }
}

const utf16 = (bytes: Uint8Array, start: number, littleEndian: boolean) =>
  decodeUnits(bytes, start, 2, (view, at) => view.getUint16(at, littleEndian))

const utf32 = (bytes: Uint8Array, start: number, littleEndian: boolean) =>
  decodeUnits(bytes, start, 4, (view, at) => view.getUint32(at, littleEndian))

/** By hand: TextDecoder lacks UTF-32, and in some runtimes big-endian UTF-16. */
function decodeUnits(
  bytes: Uint8Array,
  start: number,
  width: 2 | 4,
  unitAt: (view: DataView, at: number) => number,
): string | null {
  if ((bytes.length - start) % width !== 0) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parts: string[] = []
  let units: number[] = []
  for (let at = start; at < bytes.length; at += width) {
    const unit = unitAt(view, at)
    if (unit > 0x10ffff) return null
    units.push(unit)
    // The number of arguments of a call is limited.
    if (units.length === 4096) {
      parts.push(String.fromCodePoint(...units))
      units = []
    }
  }
  return parts.join('') + String.fromCodePoint(...units)
}
