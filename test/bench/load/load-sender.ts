import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Figures, Load } from './load.ts'

/** The process that sends the loads, one after the other. */
export class LoadSender {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, 'load-process.ts'))

  #answer: (result: Figures | { error: string }) => void = () => {}

  constructor() {
    this.#child.on('message', (result) => this.#answer(result as Figures))
    this.#child.on('exit', () => this.#answer({ error: 'the sending process ended' }))
  }

  /** Sends one load at a time. Throws if a request fails or is not answered with 2xx. */
  async send(load: Load): Promise<Figures> {
    const answer = new Promise<Figures | { error: string }>((resolve) => {
      this.#answer = resolve
    })
    this.#child.send(load)
    const result = await answer
    if ('error' in result) throw new Error(`${load.method} ${load.url}${load.paths[0]}: ${result.error}`)
    return result
  }

  async dispose(): Promise<void> {
    const exit = once(this.#child, 'exit')
    this.#child.disconnect()
    await exit
  }
}
