import { MAX_LABEL_NAME, MAX_LABEL_VALUE, MAX_LABELS } from '../../jobs/limits.ts'
import type { Fault } from '../reply/validation-error.ts'
import { field, type Reading, readText } from './fields.ts'
import { namedValues } from './named-values.ts'

/** In the index, a control character ends a value; in a query, a colon ends a name. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what labels may not have
const CONTROL = /[\u0000-\u001f\u007f]/
const NO_CONTROL: Fault = {
  type: 'string_pattern_mismatch',
  msg: 'String should have no control characters',
}
const NO_COLON: Fault = {
  type: 'string_pattern_mismatch',
  msg: 'String should have no colon and no control characters',
}
const NOT_A_LABEL: Fault = { type: 'string_pattern_mismatch', msg: 'String should be a label, as name:value' }

const TOO_MANY: Fault = {
  type: 'too_long',
  msg: `List should have at most ${MAX_LABELS} items after validation`,
  ctx: { field_type: 'List', max_length: MAX_LABELS },
}

const name = field({ type: 'string' }, readName)
const value = field({ type: 'string' }, (sent) => readLine(sent, MAX_LABEL_VALUE))

/** An object of short texts by name. */
export function labels() {
  return namedValues({ name, value, most: MAX_LABELS, published: { type: 'string' } })
}

/** Reads labels in a query: `name:value`, once or repeated. */
export function readLabels(sent: unknown): Reading<[name: string, value: string][]> {
  const texts = [sent].flat()
  if (texts.length > MAX_LABELS) return { fault: TOO_MANY }
  const pairs: [string, string][] = []
  for (const text of texts) {
    const at = typeof text === 'string' ? text.indexOf(':') : -1
    if (typeof text !== 'string' || at < 1) return { fault: NOT_A_LABEL }
    const name = readName(text.slice(0, at))
    if ('fault' in name) return name
    const value = readLine(text.slice(at + 1), MAX_LABEL_VALUE)
    if ('fault' in value) return value
    pairs.push([name.value, value.value])
  }
  return { value: pairs }
}

/** A text of one line, without control characters. */
export function readLine(sent: unknown, maxLength: number): Reading<string> {
  const reading = readText(sent, maxLength)
  return 'value' in reading && CONTROL.test(reading.value) ? { fault: NO_CONTROL } : reading
}

function readName(sent: unknown): Reading<string> {
  const reading = readLine(sent, MAX_LABEL_NAME)
  const hasColon = typeof sent === 'string' && sent.includes(':')
  return hasColon || ('fault' in reading && reading.fault === NO_CONTROL) ? { fault: NO_COLON } : reading
}
