/** What a log says about an error. */
interface ErrorDescription {
  /** The error's name if it is an error class's, otherwise `Error`; the `typeof` of anything that is not an `Error`. */
  error: string
  /** D1's own message, on one line. */
  said?: string | undefined
  /** The innermost stack frames. */
  at?: string[]
}

/** Names of error classes. Any other name could contain a caller's data. */
const NAME = /^(?:[A-Z][A-Za-z0-9]{0,60})?(?:Error|Exception)$/
/** A line of a stack trace: `at place (file:1:2)`, `at file:1:2` and the like. */
const FRAME =
  /^\s+at (?:[\w$.<>#[\] ]{1,200} \((?:[^\s()]{1,300}:\d+:\d+|<anonymous>|index \d+|native)\)|(?:async )?[^\s()]{1,300}:\d+:\d+)$/
/** What precedes the message in a stack trace, or stands alone if the message is empty. */
const HEADER = /^(?:[\w$.]+(?:: ?)?)?$/
const MAX_FRAMES = 6
const MAX_CAUSES = 5

/**
 * Describes an error by its name and stack frames. Messages are left out because they may quote data: a parser quotes
 * its input, Drizzle a statement's parameters. D1's own messages are kept: they name only tables and columns.
 */
export function describeError(error: unknown): ErrorDescription {
  if (!(error instanceof Error)) return { error: typeof error }
  const said = causesOf(error).find(({ message }) => /^D1[ _]/.test(message))
  return {
    error: NAME.test(error.name) ? error.name : 'Error',
    said: said && withoutValue(said.message),
    at: framesOf(error),
  }
}

/**
 * A stack trace begins with the message, whose lines may look like frames, so the message is cut off first. If the
 * message has changed and is not in the trace, no frames are returned.
 */
function framesOf({ name, message, stack }: Error): string[] {
  if (typeof stack !== 'string' || name.includes('\n')) return []
  const start = message === '' ? stack.search(/\n|$/) : stack.indexOf(message)
  if (start === -1 || !HEADER.test(stack.slice(0, start))) return []
  return stack
    .slice(start + message.length)
    .split('\n')
    .filter((line) => FRAME.test(line))
    .slice(0, MAX_FRAMES)
    .map((line) => line.trim())
}

/** Cuts off a value that D1 rejected and quotes: it may be a customer's. */
function withoutValue(message: string): string | undefined {
  return message.split(/ for value |\n/, 1)[0]?.slice(0, 300)
}

/** The error, its cause, the cause of that, and so on. An error may be its own cause. */
function causesOf(error: Error): Error[] {
  const causes = [error]
  for (let cause = error.cause; cause instanceof Error && causes.length < MAX_CAUSES; cause = cause.cause)
    causes.push(cause)
  return causes
}
