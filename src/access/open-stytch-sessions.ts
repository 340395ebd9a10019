import { B2BClient } from 'stytch'
import { Moment } from '../moment.ts'
import { StytchSessions } from './stytch-sessions.ts'

/** A Stytch B2B project, and the secret it knows us by. */
interface StytchProject {
  id: string
  secret: string
  /** Where Stytch is; undefined for its own address. */
  url: string | undefined
}

interface Options {
  /** The time in milliseconds since the epoch. */
  now: () => number
  /** Told why Stytch did not answer as it should have. */
  onError: (error: unknown) => void
}

let opened: { project: StytchProject; sessions: StytchSessions; usedAt: Moment } | undefined

/**
 * The sessions of a project, opened once per isolate, and anew if the clock was set back: otherwise the policy and
 * signing keys that the SDK itself remembers would be trusted past their time.
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
    // The SDK takes a base URL of one's own over https only; it calls a stand-in on this machine an environment.
    ...(url && (url.startsWith('https:') ? { custom_base_url: url } : { env: url })),
  })
  opened = { project, sessions: new StytchSessions({ ...options, stytch: client.sessions }), usedAt }
  return opened.sessions
}

function isSame(one: StytchProject, other: StytchProject): boolean {
  return one.id === other.id && one.secret === other.secret && one.url === other.url
}
