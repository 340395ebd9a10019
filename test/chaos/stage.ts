import { DatabaseSync } from 'node:sqlite'
import { type Edge, openEdge } from '../../scripts/edge.ts'
import type { Connection } from '../../src/client/send-with-retries.ts'
import { issueKey } from '../edge/harness.ts'
import { until } from './until.ts'

export const ORGANIZATION = 'chaos'

/** The edge under test, whichever process it is at the moment, on one port and one state throughout. */
export class Stage {
  readonly url: string
  readonly #state: string
  readonly #quiet: boolean
  readonly #key: string
  #edge: Edge
  /** Requests of the workers that have no answer yet. */
  inFlight = 0

  private constructor(state: string, quiet: boolean, edge: Edge, key: string) {
    this.#state = state
    this.#quiet = quiet
    this.#edge = edge
    this.#key = key
    this.url = edge.url
  }

  static async open(state: string, quiet: boolean): Promise<Stage> {
    const edge = await openEdge({ persistTo: state, quiet })
    const { key } = await issueKey(edge, { org: ORGANIZATION })
    return new Stage(state, quiet, edge, key)
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

  /** Opens the file of D1 beside the runtime. */
  async openD1File(options: { readOnly: boolean }): Promise<DatabaseSync> {
    return new DatabaseSync(await this.#edge.d1File(), { ...options, timeout: 5_000 })
  }

  /** Closes the edge as an operator would, and opens it again where it was. */
  async reopen(): Promise<void> {
    await this.#edge.dispose()
    const port = Number(new URL(this.url).port)
    this.#edge = await openEdge({ persistTo: this.#state, port, quiet: this.#quiet })
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
  }
}
