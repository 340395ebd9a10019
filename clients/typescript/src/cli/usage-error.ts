/** The command was called in the wrong way. The message says how, in a sentence without its full stop. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** There is no key, or one that cannot be sent. */
export class NoKeyError extends Error {
  override name = 'NoKeyError'
}
