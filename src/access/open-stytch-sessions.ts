import { B2BClient } from 'stytch'
import { Moment } from '../moment.ts'
import { StytchSessions } from './stytch-sessions.ts'

/** A Stytch B2B project and its secret. */
interface StytchProject {
  id: string
  secret: string
  /** Stytch's base URL; undefined for the default. */
  url: string | undefined
}

interface Options {
  /** The time in ms since the epoch. */
  now: () => number
  /** Called with the reason when Stytch gives no usable answer. */
  onError: (error: unknown) => void
}

let opened: { project: StytchProject; sessions: StytchSessions; usedAt: Moment } | undefined

/**
 * The sessions of a project, opened once per isolate, and again if the clock was set back: otherwise the SDK would
 * trust the policy and signing keys that it caches for too long.
 */
export function openStytchSessions(project: StytchProject, options: Options): StytchSessions {
  const now = options.now()
  const usedAt = new Moment(now)
  if (opened?.usedAt.isWithin(Number.POSITIVE_INFINITY, now) && isSame(opened.project, project)) {
    opened.usedAt = usedAt
    return opened.sessions
  }
  const { id: project_id, secret, url } = project
  const client = new B2BClient({
    project_id,
    secret,
    // The SDK requires https for `custom_base_url`. It accepts a local fake over http only as `env`.
    ...(url && (url.startsWith('https:') ? { custom_base_url: url } : { env: url })),
  })
  opened = { project, sessions: new StytchSessions({ ...options, stytch: client.sessions }), usedAt }
  return opened.sessions
}

function isSame(one: StytchProject, other: StytchProject): boolean {
  return one.id === other.id && one.secret === other.secret && one.url === other.url
}
