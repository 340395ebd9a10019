import { createServer } from 'node:net'

/** The port cannot be listened on. The message is for whoever runs the command. */
export class PortError extends Error {}

/** What browsers take `localhost` for, whatever the machine's own list of hosts says. */
const LOCALHOST = ['127.0.0.1', '::1']

/**
 * Throws a PortError if another process has `port` of `host`, or this user may not open it. If only one of the two addresses of
 * localhost is taken, callers would reach now this process and now the other.
 */
export async function checkPort(host: string, port: number): Promise<void> {
  if (port === 0) return
  for (const address of host === 'localhost' ? LOCALHOST : [host]) {
    const code = await tryListening(address, port)
    if (code === 'EADDRINUSE') throw portTaken(port, ` at ${address}`)
    if (code === 'EACCES') {
      throw new PortError(`This user may not open port ${port}. Choose another, such as --port 8787.`)
    }
  }
}

export function portTaken(port: number, where = ''): PortError {
  const other = port < 65_535 ? port + 1 : 8787
  return new PortError(`Another process has port ${port}${where}. Choose another, such as --port ${other}.`)
}

/** Node's code for why this process cannot listen there; undefined if it can. */
function tryListening(address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}
