import type { CallOptions } from '../options.ts'
import { toMilliseconds } from './read-args.ts'

const DEFAULT_SECONDS = 15

/** For commands that make a request or a few. */
export const TIMEOUT_OPTION = { timeout: { type: 'string' } } as const

export const TIMEOUT_HELP = `  --timeout SECONDS    how long to keep trying when the API does not answer (default: ${DEFAULT_SECONDS})`

export function readTimeout(seconds: string = String(DEFAULT_SECONDS)): CallOptions {
  return { giveUpAfterMs: toMilliseconds('--timeout', seconds) }
}
