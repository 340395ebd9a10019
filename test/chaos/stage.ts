import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Edge, openEdge } from '../../scripts/edge.ts'
import type { Connection } from '../../src/client/send-with-retries.ts'
import { FakeStytch } from '../edge/fake-stytch.ts'
import { issueKey } from '../edge/harness.ts'
import { ORDERS_PATH, ORGANIZATION, type Order, type Outcomes } from './orders.ts'
import { until } from './until.ts'

/** Finished jobs leave their objects while the run goes on. */
const ARCHIVE_AFTER_SECONDS = 10

interface Options {
  /** Where the state lies. */
  state: string
  /** Told each line that the edge logs. */
  onLine: (line: string) => void
}

/** The edge under test, whichever process it is at the moment, on one port and one state throughout. */
export class Stage {
  readonly url: string
  readonly stytch: FakeStytch
  readonly #options: Options
  readonly #key: string
  #edge: Edge
  /** Requests of the workers that have no answer yet. */
  inFlight = 0

  private constructor(options: Options, stytch: FakeStytch, edge: Edge, key: string) {
    this.stytch = stytch
    this.#options = options
    this.#edge = edge
    this.#key = key
    this.url = edge.url
  }

  static async open(options: Options): Promise<Stage> {
    const stytch = await FakeStytch.open()
    const edge = await openWithFaults(options, stytch, 0)
    const { key } = await issueKey(edge, { org: ORGANIZATION })
    return new Stage(options, stytch, edge, key)
  }

  get edge(): Edge {
    return this.#edge
  }

  /** For the client that the workers report with. */
  get connection(): Connection {
    return { url: this.url, key: this.#key }
  }

  get(path: string, accept = 'application/json'): Promise<Response> {
    const headers = { authorization: `Bearer ${this.#key}`, accept }
    return fetch(`${this.url}${path}`, { headers, signal: AbortSignal.timeout(30_000) })
  }

  /** Has the edge do what its callers cannot ask of it. Throws where it does not. */
  async order<What extends Order['do']>(order: Extract<Order, { do: What }>): Promise<Outcomes[What]> {
    const body = JSON.stringify(order)
    const signal = AbortSignal.timeout(30_000)
    const response = await fetch(`${this.url}${ORDERS_PATH}`, { method: 'POST', body, signal })
    const text = await response.text()
    if (!response.ok) throw new Error(`The order to ${order.do} was answered ${response.status}: ${text}`)
    return JSON.parse(text) as Outcomes[What]
  }

  /** Opens the file of D1 beside the runtime. */
  async openD1File(options: { readOnly: boolean }): Promise<DatabaseSync> {
    return new DatabaseSync(await this.#edge.d1File(), { ...options, timeout: 5_000 })
  }

  /** Closes the edge as an operator would, and opens it again where it was. */
  async reopen(): Promise<void> {
    await this.#edge.dispose()
    this.#edge = await openWithFaults(this.#options, this.stytch, Number(new URL(this.url).port))
    await this.answers()
  }

  /** Resolves once the edge answers. */
  async answers(): Promise<void> {
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
  return openEdge({ entry, persistTo: state, port, quiet: true, onLine, bindings })
}
