import { type ParseArgsConfig, parseArgs } from 'node:util'
import { UsageError } from './usage-error.ts'

type Options = NonNullable<ParseArgsConfig['options']>

/** The options that every command has. */
export const CONNECTION_OPTIONS = {
  url: { type: 'string' },
  profile: { type: 'string' },
  organization: { type: 'string' },
} as const satisfies Options

export const CONNECTION_HELP = `
  --url URL            the API's base URL (default: MILEPOST_URL)
  --profile NAME       take the URL and the key from a profile, not from the environment
  --organization ID    which organization to act for; only needed with a key for several
  --help               print this

The key comes from MILEPOST_API_KEY or the profile. It is never an argument: others on the machine could see it.`

/** Reads a command's options and exactly these positional arguments. Throws a UsageError. */
export function readArgs<O extends Options>(args: string[], options: O, positionals: string[] = []) {
  const parsed = parse(args, options)
  const missing = positionals[parsed.positionals.length]
  if (missing !== undefined) throw new UsageError(`${missing} is missing`)
  const extra = parsed.positionals[positionals.length]
  if (extra !== undefined) throw new UsageError(`Unexpected argument: ${extra}`)
  return parsed
}

function parse<O extends Options>(args: string[], options: O) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true })
  } catch (error) {
    // Its errors are about the arguments. They may go on to explain the parser; the first sentence is enough.
    throw new UsageError((error as Error).message.split(/\. |\n/)[0]?.replace(/\.$/, ''))
  }
}

/** Reads a number of at least `least`. Throws a UsageError. */
export function toNumber(
  option: string,
  text: string,
  { least = 0, isWhole = false }: { least?: number; isWhole?: boolean } = {},
): number {
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(number) && number >= least && (!isWhole || Number.isSafeInteger(number))) return number
  throw new UsageError(
    `${option} should be a ${isWhole ? 'whole ' : ''}number, ${least} or more, not ${text}`,
  )
}

/** Reads seconds, and returns milliseconds: at most what a timer can wait, about 24 days. */
export function toMilliseconds(option: string, text: string): number {
  return Math.min(2 ** 31 - 1, toNumber(option, text) * 1_000)
}
