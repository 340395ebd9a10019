import type { B2BClient } from 'stytch'
import { Moment } from '../moment.ts'
import { remember } from '../remember.ts'
import { within } from '../within.ts'
import type { Permission, SessionCaller, Verdict } from './caller.ts'
import { type StytchAnswer, toAnswer, toRefusal } from './stytch-answer.ts'

/** How long a caller waits for Stytch, in ms. */
const TIMEOUT_MS = 2_000
/** How long a yes is remembered. The end of a session or a permission takes effect within this time. */
const VALID_FOR_MS = 60_000
/** How long a no is remembered. */
const REFUSED_FOR_MS = 10_000
/** A JWT older than this proves nothing: its session may have been revoked since it was issued. */
const OLDEST_JWT_SECONDS = 60
const NO_ANSWER: StytchAnswer = { kind: 'unavailable', failure: undefined }

/** What a caller presents of a session: its opaque token, its JWT, or both. */
export type SessionProof = { token: string; jwt: string | undefined } | { token: undefined; jwt: string }

type SessionCheck = { ok: true; caller: SessionCaller } | { ok: false; reason: 'unknown' | 'unavailable' }

/** The calls that are made to Stytch's SDK. */
export type StytchCalls = Pick<B2BClient['sessions'], 'authenticate' | 'authenticateJwtLocal'>

interface Options {
  stytch: StytchCalls
  /** The time in ms since the epoch. */
  now: () => number
  /** Called with the reason when Stytch gives no usable answer. */
  onError: (error: unknown) => void
}

interface Remembered<Answer> {
  answer: Answer
  foundAt: Moment
  validForMs: number
  /** When the session is over, in ms since the epoch. */
  endsAt: number
}

/**
 * Checks sessions of a Stytch B2B project, and remembers within one isolate whose they are and what they permit. A
 * session in use costs about two calls a minute for each permission it uses.
 *
 * A fresh JWT saves those calls: its signature proves the session, and its roles prove a permission under the project's
 * policy, which the SDK caches for five minutes. A JWT can only say yes; Stytch is asked about everything else.
 */
export class StytchSessions {
  readonly #stytch: StytchCalls
  readonly #now: () => number
  readonly #onError: (error: unknown) => void
  readonly #checks = new Map<string, Remembered<SessionCheck>>()
  readonly #verdicts = new Map<string, Remembered<Verdict>>()

  constructor({ stytch, now, onError }: Options) {
    this.#stytch = stytch
    this.#now = now
    this.#onError = onError
  }

  /**
   * Whose session it is, from memory or the JWT; undefined if neither says. `tokenHash` is the SHA-256 of the token, or of
   * the JWT if there is no token.
   */
  async recall({ jwt }: SessionProof, tokenHash: string): Promise<SessionCheck | undefined> {
    const known = this.#remembered(this.#checks, tokenHash)
    if (known !== undefined) return known
    const caller = jwt === undefined ? undefined : await this.#proven(jwt)
    return caller && { ok: true, caller }
  }

  /** Whose session it is. Never throws, and waits at most 2 s for an answer. */
  async check(proof: SessionProof, tokenHash: string): Promise<SessionCheck> {
    const known = await this.recall(proof, tokenHash)
    if (known !== undefined) return known
    const askedAt = this.#now()
    const answer = await this.#authenticate(toRequest(proof))
    if (answer.kind === 'unavailable') return { ok: false, reason: 'unavailable' }
    const check: SessionCheck =
      answer.kind === 'session' ? { ok: true, caller: answer.caller } : { ok: false, reason: 'unknown' }
    remember(this.#checks, tokenHash, toRemember(check, answer, askedAt))
    return check
  }

  /** Whether the member may do this in their organization. Never throws, and waits at most 2 s for an answer. */
  async permits(
    proof: SessionProof,
    tokenHash: string,
    caller: SessionCaller,
    permission: Permission,
  ): Promise<Verdict> {
    const [organizationId = ''] = caller.organizationIds
    const key = `${tokenHash} ${permission} ${organizationId}`
    const known = this.#remembered(this.#verdicts, key)
    if (known !== undefined) return known

    const authorization_check = { organization_id: organizationId, ...toResourceAction(permission) }
    if (proof.jwt !== undefined && (await this.#proven(proof.jwt, authorization_check))) return 'yes'
    const askedAt = this.#now()
    const answer = await this.#authenticate({ ...toRequest(proof), authorization_check })
    switch (answer.kind) {
      case 'session':
      case 'forbidden': {
        const verdict = answer.kind === 'session' ? 'yes' : 'no'
        remember(this.#verdicts, key, toRemember<Verdict>(verdict, answer, askedAt))
        return verdict
      }
      case 'unknown':
        this.#checks.delete(tokenHash)
        return 'ended'
      case 'unavailable':
        return 'unavailable'
      default:
        return answer satisfies never
    }
  }

  async #authenticate(request: AuthenticateRequest): Promise<StytchAnswer> {
    const asked = this.#stytch
      .authenticate(request)
      .then(({ member_session }) => toAnswer(member_session, this.#now()))
      .catch(toRefusal)
    const answer = await within(TIMEOUT_MS, asked, NO_ANSWER)
    if (answer.kind === 'unavailable') this.#onError(answer.failure)
    return answer
  }

  /** Whose session the JWT proves; undefined if it proves none, or does not permit `authorization_check`. */
  async #proven(
    session_jwt: string,
    authorization_check?: AuthorizationCheck,
  ): Promise<SessionCaller | undefined> {
    const checked = this.#stytch.authenticateJwtLocal({
      session_jwt,
      max_token_age_seconds: OLDEST_JWT_SECONDS,
      current_date: new Date(this.#now()),
      ...(authorization_check && { authorization_check }),
    })
    const proof = await within(
      TIMEOUT_MS,
      checked.catch(() => undefined),
      undefined,
    )
    const answer = proof && toAnswer(proof, this.#now())
    return answer?.kind === 'session' ? answer.caller : undefined
  }

  #remembered<Value>(memory: Map<string, Remembered<Value>>, key: string): Value | undefined {
    const now = this.#now()
    const known = memory.get(key)
    return known?.foundAt.isWithin(known.validForMs, now) && now < known.endsAt ? known.answer : undefined
  }
}

type AuthenticateRequest = Parameters<StytchCalls['authenticate']>[0]
type AuthorizationCheck = NonNullable<AuthenticateRequest['authorization_check']>

/** Stytch takes one of them. A JWT that has expired still stands for its session, until that ends. */
function toRequest(proof: SessionProof): AuthenticateRequest {
  return proof.token === undefined ? { session_jwt: proof.jwt } : { session_token: proof.token }
}

/** What to remember of Stytch's answer, at most until the session ends. */
function toRemember<Value>(answer: Value, said: StytchAnswer, askedAt: number): Remembered<Value> {
  const isPositive = said.kind === 'session'
  return {
    answer,
    foundAt: new Moment(askedAt),
    validForMs: isPositive ? VALID_FOR_MS : REFUSED_FOR_MS,
    endsAt: isPositive ? said.caller.expiresAt : Number.POSITIVE_INFINITY,
  }
}

/** `job:create` is the action `create` on the resource `job` of the project's RBAC policy. */
function toResourceAction(permission: Permission): { resource_id: string; action: string } {
  const [resource_id = '', action = ''] = permission.split(':')
  return { resource_id, action }
}
