/** A session with V8's inspector. */
export class Inspector {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (result: Record<string, unknown>) => void>()
  #id = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(String(data))
      this.#waiting.get(id)?.(result)
      this.#waiting.delete(id)
    })
  }

  static async open(url: string): Promise<Inspector> {
    const socket = new WebSocket(url)
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('error', () => reject(new Error(`No inspector at ${url}`)))
    })
    return new Inspector(socket)
  }

  send(method: string): Promise<Record<string, unknown>> {
    const id = ++this.#id
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.#socket.send(JSON.stringify({ id, method }))
    })
  }

  close(): void {
    this.#socket.close()
  }
}
