/**
 * How `job_terms` writes what a job is found by; its triggers, in the migration, do the same. A type stands alone. The
 * value of a label and a linked id are followed by a control character, which no label holds, and their name.
 */
const BEFORE_LABEL = '\u001f'
const BEFORE_LINK = '\u001e'
/** Sorts after every text that begins with what is before it. */
const LAST = '\u{10ffff}'

export function labelTerm(name: string, value: string): string {
  return fold(`${value}${BEFORE_LABEL}${name}`)
}

/** The term of a job whose metadata has an id under this key, which ends with `_job_id`. */
export function linkTerm(key: string, jobId: string): string {
  return `${fold(jobId)}${BEFORE_LINK}${key}`
}

/** The range of the terms that begin with a text. */
export function termsFrom(beginning: string): { first: string; end: string } {
  return rangeFrom(fold(beginning))
}

/** The range of the texts that begin with this one, in the order of SQLite; the end is exclusive. */
export function rangeFrom(beginning: string): { first: string; end: string } {
  return { first: beginning, end: beginning + LAST }
}

/** As SQLite's `lower`: other letters than A to Z stay as they are. */
function fold(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
