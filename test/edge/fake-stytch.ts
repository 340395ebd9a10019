import { createSign, createVerify, generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SessionOptions {
  org: string
  /** What the member may do with the resource `job`. Default: everything. */
  actions?: string[]
  /** Milliseconds since the epoch. Default: an hour from now. */
  expiresAt?: number
}

interface Session extends Required<SessionOptions> {
  id: string
  memberId: string
}

/** JWT claims that a test may change, and the key that signs it: `ours`, or one that Stytch never had. */
interface JwtOptions {
  /** Milliseconds since the epoch. */
  issuedAt?: number
  audience?: string
  issuer?: string
  signedBy?: 'ours' | 'stranger'
}

type Path = 'sessions/authenticate' | 'sessions/jwks' | 'rbac/policy' | 'rbac/organizations' | 'other'

/** The part of Stytch's B2B API that the Worker calls, served from this machine: same paths, bodies and errors. */
export class FakeStytch {
  readonly projectId = `project-test-${randomUUID()}`
  readonly secret = `secret-test-${randomUUID()}`
  /** Every call received, in order. */
  readonly calls: { path: Path; body: Record<string, unknown> }[] = []
  /** `silent`: accepts calls and never answers. `broken`: answers 500. `locked`: no longer accepts our secret. */
  state: 'up' | 'silent' | 'broken' | 'locked' = 'up'
  /** If set, the answer to every call: a status and an error type. */
  refusal: [status: number, type: string] | undefined
  readonly #sessions = new Map<string, Session>()
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
  readonly #strangersKeys = generateKeyPairSync('rsa', { modulusLength: 2048 })
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  url = ''

  static async open(): Promise<FakeStytch> {
    const fake = new FakeStytch()
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve))
    fake.url = `http://127.0.0.1:${(fake.#server.address() as AddressInfo).port}`
    return fake
  }

  /** The variables that point the Worker here. */
  get bindings() {
    return { STYTCH_PROJECT_ID: this.projectId, STYTCH_SECRET: this.secret, STYTCH_BASE_URL: this.url }
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  /** How many calls a path has received. */
  count(path: Path): number {
    return this.calls.filter((call) => call.path === path).length
  }

  /** Starts a session and returns its token. The session gets its own role, with exactly these actions. */
  signIn({
    org,
    actions = ['create', 'read', 'cancel'],
    expiresAt = Date.now() + 3_600_000,
  }: SessionOptions): string {
    const token = randomUUID().replaceAll('-', '')
    const [id, memberId] = [`member-session-test-${randomUUID()}`, `member-test-${randomUUID()}`]
    this.#sessions.set(token, { org, actions, expiresAt, id, memberId })
    return token
  }

  /** Changes what the role of a session permits. */
  permit(token: string, actions: string[]): void {
    this.#session(token).actions = actions
  }

  signOut(token: string): void {
    this.#sessions.delete(token)
  }

  /** Returns a JWT for a session. Like Stytch's, it is valid for five minutes. */
  jwt(token: string, options: JwtOptions = {}): string {
    const session = this.#session(token)
    const issuedAt = Math.floor((options.issuedAt ?? Date.now()) / 1_000)
    const claims = {
      iss: options.issuer ?? `stytch.com/${this.projectId}`,
      aud: [options.audience ?? this.projectId],
      sub: session.memberId,
      iat: issuedAt,
      nbf: issuedAt,
      exp: issuedAt + 300,
      'https://stytch.com/session': { ...toSession(session), id: session.id, attributes: {} },
      'https://stytch.com/organization': { organization_id: session.org, slug: session.org },
    }
    const text = [{ alg: 'RS256', typ: 'JWT', kid: 'key-1' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    const { privateKey } = options.signedBy === 'stranger' ? this.#strangersKeys : this.#keys
    return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`
  }

  #session(token: string): Session {
    const session = this.#sessions.get(token)
    if (session === undefined) throw new Error('No such session')
    return session
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const part of request.setEncoding('utf8')) text += part
    const path = pathOf(request.url ?? '')
    const body = text === '' ? {} : JSON.parse(text)
    this.calls.push({ path, body })
    if (this.state === 'silent') return
    const [status, reply] = this.#reply(path, body, request.headers.authorization)
    response.writeHead(status, { 'Content-Type': 'application/json' })
    response.end(
      JSON.stringify({ status_code: status, request_id: `request-id-test-${randomUUID()}`, ...reply }),
    )
  }

  #reply(path: Path, body: Record<string, unknown>, authorization = ''): [number, object] {
    if (this.refusal !== undefined) return error(...this.refusal)
    if (this.state === 'broken') return error(500, 'internal_server_error')
    if (path === 'sessions/jwks') {
      const jwk = this.#keys.publicKey.export({ format: 'jwk' })
      return [200, { keys: [{ ...jwk, kid: 'key-1', use: 'sig', alg: 'RS256', key_ops: ['verify'] }] }]
    }
    const basic = `Basic ${Buffer.from(`${this.projectId}:${this.secret}`).toString('base64')}`
    if (this.state === 'locked' || authorization !== basic) return error(401, 'unauthorized_credentials')
    switch (path) {
      case 'sessions/authenticate':
        return this.#authenticate(body)
      case 'rbac/policy':
        return [200, { policy: { roles: this.#roles(), resources: [], scopes: [] } }]
      case 'rbac/organizations':
        return [200, { org_policy: { roles: [] } }]
      default:
        return error(404, 'route_not_found')
    }
  }

  #authenticate({ session_jwt, ...body }: Record<string, unknown>): [number, object] {
    if (typeof session_jwt === 'string') {
      const token = this.#tokenOf(session_jwt)
      // The documentation does not say which error a forged JWT gets.
      return token === null
        ? error(401, 'invalid_signature')
        : this.#authenticate({ ...body, session_token: token })
    }
    const session = this.#sessions.get(String(body.session_token))
    if (session === undefined || session.expiresAt <= Date.now()) return error(404, 'session_not_found')
    const check = body.authorization_check as Record<string, string> | undefined
    if (check && check.organization_id !== session.org)
      return error(403, 'session_authorization_tenancy_error')
    if (check && !(check.resource_id === 'job' && session.actions.includes(check.action ?? '')))
      return error(403, 'session_authorization_error')
    return [
      200,
      {
        member_session: {
          ...toSession(session),
          member_session_id: session.id,
          member_id: session.memberId,
          organization_id: session.org,
          organization_slug: session.org,
          custom_claims: {},
        },
        session_token: body.session_token,
        session_jwt: this.jwt(String(body.session_token)),
        member: { member_id: session.memberId, organization_id: session.org },
        organization: { organization_id: session.org },
        ...(check && { verdict: { authorized: true, granting_roles: [session.id] } }),
      },
    ]
  }

  /** The token of the session that a JWT is of, even if it has expired; null if it was not signed here. */
  #tokenOf(jwt: string): string | null {
    const [header, claims = '', signature = ''] = jwt.split('.')
    const verify = createVerify('RSA-SHA256').update(`${header}.${claims}`)
    if (!verify.verify(this.#keys.publicKey, signature, 'base64url')) return null
    const { id } = JSON.parse(Buffer.from(claims, 'base64url').toString())['https://stytch.com/session']
    const [token = 'a session that has ended'] =
      [...this.#sessions].find(([, session]) => session.id === id) ?? []
    return token
  }

  #roles() {
    return [...this.#sessions.values()].map(({ id, actions }) => ({
      role_id: id,
      description: '',
      permissions: [{ resource_id: 'job', actions }],
    }))
  }
}

function toSession({ id, expiresAt }: Session) {
  return {
    started_at: new Date(expiresAt - 3_600_000).toISOString(),
    last_accessed_at: new Date().toISOString(),
    expires_at: new Date(expiresAt).toISOString(),
    authentication_factors: [],
    roles: [id],
  }
}

function pathOf(url: string): Path {
  const path = url.replace(/^\/v1\/b2b\//, '')
  const known: Path[] = ['sessions/authenticate', 'sessions/jwks', 'rbac/policy', 'rbac/organizations']
  return known.find((start) => path === start || path.startsWith(`${start}/`)) ?? 'other'
}

/** An error in the shape that Stytch documents. */
function error(status: number, error_type: string): [number, object] {
  const error_url = `https://stytch.com/docs/b2b/api/errors/${status}#${error_type}`
  return [status, { error_type, error_message: `Fake Stytch says ${error_type}.`, error_url }]
}
