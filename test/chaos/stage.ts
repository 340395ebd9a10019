import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { MilepostOptions } from 'milepost'
import { type Edge, openEdge } from '../../scripts/edge.ts'
import { FakeStytch } from '../edge/fake-stytch.ts'
import { issueKey } from '../edge/harness.ts'
import { COMMANDS_PATH, type Command, type CommandResults, TENANTS, type Tenant } from './edge-commands.ts'
import { until } from './until.ts'

/** Short enough that finished jobs leave their objects during the run. */
const ARCHIVE_AFTER_SECONDS = 10

interface Options {
  /** The state folder. */
  state: string
  /** Receives each line of the edge's log. */
  onLine: (line: string) => void
}

/** What the client needs to call as a tenant. */
type Connection = MilepostOptions & { url: string; key: string }

/** The edge under test. Its process changes during the run; its port and state do not. */
export class Stage {
  readonly url: string
  readonly stytch: FakeStytch
  readonly #options: Options
  /** The server API keys by organization. */
  readonly #keys: Record<string, string>
  #edge: Edge
  /** The number of the workers' unanswered requests. */
  inFlight = 0

  private constructor(options: Options, stytch: FakeStytch, edge: Edge, keys: Record<string, string>) {
    this.stytch = stytch
    this.#options = options
    this.#edge = edge
    this.#keys = keys
    this.url = edge.url
  }

  static async open(options: Options): Promise<Stage> {
    const stytch = await FakeStytch.open()
    const edge = await openWithFaults(options, stytch, 0)
    const keys: Record<string, string> = {}
    for (const { organization, database } of TENANTS) {
      const { key } = await issueKey(edge, { org: organization, ...(database !== 'DB' && { database }) })
      keys[organization] = key
    }
    return new Stage(options, stytch, edge, keys)
  }

  get edge(): Edge {
    return this.#edge
  }

  /** The connection for the client of a tenant's workers. */
  connectionOf({ organization }: Tenant): Connection {
    const key = this.#keys[organization]
    if (key === undefined) throw new Error(`There is no key of ${organization}`)
    return { url: this.url, key }
  }

  get(tenant: Tenant, path: string, accept = 'application/json'): Promise<Response> {
    const headers = { authorization: `Bearer ${this.connectionOf(tenant).key}`, accept }
    return fetch(`${this.url}${path}`, { headers, signal: AbortSignal.timeout(30_000) })
  }

  /** Runs a command inside the edge. Throws if the edge does not. */
  async command<What extends Command['do']>(
    command: Extract<Command, { do: What }>,
  ): Promise<CommandResults[What]> {
    const body = JSON.stringify(command)
    const signal = AbortSignal.timeout(30_000)
    const response = await fetch(`${this.url}${COMMANDS_PATH}`, { method: 'POST', body, signal })
    const text = await response.text()
    if (!response.ok)
      throw new Error(`The command to ${command.do} was answered with ${response.status}: ${text}`)
    return JSON.parse(text) as CommandResults[What]
  }

  /** Opens the file of a tenant's database next to the runtime. */
  openD1File({ database }: Tenant, options: { readOnly: boolean }): DatabaseSync {
    return new DatabaseSync(this.#edge.d1File(database), { ...options, timeout: 5_000 })
  }

  /** Closes the edge as an operator would, and reopens it on the same port and state. */
  async reopen(): Promise<void> {
    await this.#edge.dispose()
    this.#edge = await openWithFaults(this.#options, this.stytch, Number(new URL(this.url).port))
    await this.untilUp()
  }

  /** Resolves once the edge answers. */
  async untilUp(): Promise<void> {
    await until('the edge answers', 30_000, async () => {
      const signal = AbortSignal.timeout(2_000)
      return await fetch(`${this.url}/healthz`, { signal })
        .then(async (response) => (await response.text()) !== '' && response.ok)
        .catch(() => false)
    })
  }

  async close(): Promise<void> {
    await this.#edge.dispose()
    await this.stytch.close()
  }
}

function openWithFaults({ state, onLine }: Options, stytch: FakeStytch, port: number): Promise<Edge> {
  const entry = join(import.meta.dirname, 'edge/index.ts')
  const bindings = { ...stytch.bindings, ARCHIVE_AFTER_SECONDS }
  const databases = TENANTS.length
  return openEdge({ entry, databases, persistTo: state, port, quiet: true, onLine, bindings })
}
