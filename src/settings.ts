import type { Env } from './env.ts'
import { logEvent } from './log.ts'

const SECOND = 1_000
const DAY = 24 * 60 * 60 * SECOND
/** Larger numbers count as this many days, because JavaScript's dates are limited. */
const MAX_DAYS = 36_500
const MAX_RECORDERS = 100

/** The values in wrangler.toml, which also replace missing and invalid variables. */
export const DEFAULTS = {
  ARCHIVE_AFTER_SECONDS: 86_400,
  RETENTION_DAYS: 90,
  ABANDONED_AFTER_DAYS: 30,
  CANCEL_GRACE_SECONDS: 30,
  ALLOW_LOOPBACK_CALLBACKS: false,
  RECORDERS_PER_DATABASE: 1,
  MAX_ENTRY_BYTES_PER_JOB: 64 * 1024 * 1024,
  MAX_LIVE_JOBS: 20_000,
  MAX_BYTES_PER_ORGANIZATION: 2 * 1024 * 1024 * 1024,
}

/** What operators can set. */
export interface Settings {
  /** How long a finished job stays in its object, in ms. */
  archiveAfter: number
  /** A live job is failed after this many days without a report; 0: never. */
  abandonAfterDays: number
  /** How long a finished job stays in D1, in ms; 0: forever. */
  retention: number
  /** How long a canceled job still takes one final report, in ms. */
  cancelGrace: number
  /** Whether a callback URL may lead to this machine. */
  allowLoopback: boolean
  /** How many recorders the jobs are spread over: 1 to 100. */
  recorders: number
  /** Bytes of the entries that a job keeps. Further entries are only counted. */
  maxEntryBytes: number
  /** With this many live jobs, an organization cannot create another. */
  maxLiveJobs: number
  /** With this many bytes in D1, as `usedBytes` counts them, an organization cannot create another job. */
  maxBytes: number
}

/**
 * Reads the Worker's numeric and boolean variables. They may be text: those from .dev.vars, `--var` and the dashboard
 * are. Each missing or invalid one is logged once per isolate.
 */
export function readSettings(env: Partial<Env>): Settings {
  return {
    archiveAfter: Math.min(readNumber(env, 'ARCHIVE_AFTER_SECONDS') * SECOND, MAX_DAYS * DAY),
    abandonAfterDays: Math.min(readNumber(env, 'ABANDONED_AFTER_DAYS'), MAX_DAYS),
    retention: Math.min(readNumber(env, 'RETENTION_DAYS'), MAX_DAYS) * DAY,
    cancelGrace: Math.min(readNumber(env, 'CANCEL_GRACE_SECONDS') * SECOND, MAX_DAYS * DAY),
    allowLoopback: readBoolean(env, 'ALLOW_LOOPBACK_CALLBACKS'),
    recorders: Math.min(Math.max(Math.floor(readNumber(env, 'RECORDERS_PER_DATABASE')), 1), MAX_RECORDERS),
    maxEntryBytes: readNumber(env, 'MAX_ENTRY_BYTES_PER_JOB'),
    maxLiveJobs: readNumber(env, 'MAX_LIVE_JOBS'),
    maxBytes: readNumber(env, 'MAX_BYTES_PER_ORGANIZATION'),
  }
}

type NameOf<Value> = {
  [Name in keyof typeof DEFAULTS]: (typeof DEFAULTS)[Name] extends Value ? Name : never
}[keyof typeof DEFAULTS]

function readNumber(env: Partial<Env>, name: NameOf<number>): number {
  const value = env[name]
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '')
  const number = isNumeric ? Number(value) : Number.NaN
  return number >= 0 ? number : defaultOf(name)
}

function readBoolean(env: Partial<Env>, name: NameOf<boolean>): boolean {
  const text = String(env[name]).trim().toLowerCase()
  if (text === 'true') return true
  return text === 'false' ? false : defaultOf(name)
}

const logged = new Set<string>()

function defaultOf<Name extends keyof typeof DEFAULTS>(name: Name): (typeof DEFAULTS)[Name] {
  if (!logged.has(name)) logEvent('setting_invalid', { name, used: String(DEFAULTS[name]) })
  logged.add(name)
  return DEFAULTS[name]
}
