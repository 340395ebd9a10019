import type { Dispatcher } from 'undici'

/** One request and its reply. `end` resolves to the bytes of the body, and rejects unless the status is 2xx. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly end: Promise<number>
  #resolve: (bytes: number) => void = () => {}
  #reject: (error: Error) => void = () => {}
  #status = 0
  #bytes = 0
  #refusal = ''

  constructor() {
    this.end = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  // Undici takes an object without it for a handler of its older interface.
  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (!this.#isOk) this.#refusal += chunk.toString()
  }

  onResponseEnd(): void {
    // Figures of refused requests would mean nothing.
    if (this.#isOk) this.#resolve(this.#bytes)
    else this.#reject(new Error(`A request was answered with ${this.#status}: ${this.#refusal}`))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error)
  }

  get #isOk(): boolean {
    return this.#status >= 200 && this.#status < 300
  }
}
