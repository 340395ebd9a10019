/** What a log says of an error. */
interface ErrorDescription {
  /** Its name, if that is the name of a kind of error; the type of what is not an error. */
  error: string
  /** What D1 itself said, on one line. */
  said?: string | undefined
  /** The innermost places that it came through. */
  at?: string[]
}

/** What errors are called. Any other name may be somebody's text. */
const NAME = /^(?:[A-Z][A-Za-z0-9]{0,60})?(?:Error|Exception)$/
/** A line of a stack trace: `at place (file:1:2)`, `at file:1:2` and the like. */
const FRAME =
  /^\s+at (?:[\w$.<>#[\] ]{1,200} \((?:[^\s()]{1,300}:\d+:\d+|<anonymous>|index \d+|native)\)|(?:async )?[^\s()]{1,300}:\d+:\d+)$/
/** What comes before the message in a stack trace, or stands alone if the message is empty. */
const HEADER = /^(?:[\w$.]+(?:: ?)?)?$/
const MOST_FRAMES = 6
const MOST_CAUSES = 5

/**
 * Describes an error by its kind and the places it came through. Messages are left out, since they quote what they were
 * given: a parser its input, Drizzle a statement's parameters. D1's own messages name only tables and columns.
 */
export function describeError(error: unknown): ErrorDescription {
  if (!(error instanceof Error)) return { error: typeof error }
  const said = causesOf(error).find(({ message }) => /^D1[ _]/.test(message))
  return {
    error: NAME.test(error.name) ? error.name : 'Error',
    said: said && toSaying(said.message),
    at: framesOf(error),
  }
}

/**
 * A stack trace begins with the message, whose lines may themselves look like places. So the message is cut off before
 * the trace is split. If it has changed since and cannot be found there, no places are given.
 */
function framesOf({ name, message, stack }: Error): string[] {
  if (typeof stack !== 'string' || name.includes('\n')) return []
  const start = message === '' ? stack.search(/\n|$/) : stack.indexOf(message)
  if (start === -1 || !HEADER.test(stack.slice(0, start))) return []
  return stack
    .slice(start + message.length)
    .split('\n')
    .filter((line) => FRAME.test(line))
    .slice(0, MOST_FRAMES)
    .map((line) => line.trim())
}

/** D1 quotes a value that it could not take, which may be a customer's. */
function toSaying(message: string): string | undefined {
  return message.split(/ for value |\n/, 1)[0]?.slice(0, 300)
}

/** The error, its cause, the cause of that, and so on. An error may be its own cause. */
function causesOf(error: Error): Error[] {
  const causes = [error]
  for (let cause = error.cause; cause instanceof Error && causes.length < MOST_CAUSES; cause = cause.cause)
    causes.push(cause)
  return causes
}
