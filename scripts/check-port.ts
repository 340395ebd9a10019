import { createServer } from 'node:net'

/** This process cannot listen on the port. The message is for the person running the command. */
export class PortError extends Error {}

/** The addresses that browsers use for `localhost`, whatever /etc/hosts says. */
const LOCALHOST = ['127.0.0.1', '::1']

/**
 * Throws a PortError if `port` is in use on `host`, or if this user may not open it. Both addresses of localhost must be free:
 * if another process held one of them, callers would reach either process at random.
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
  return new PortError(`Port ${port} is already in use${where}. Choose another, such as --port ${other}.`)
}

/** Returns Node's error code if this process cannot listen there, undefined if it can. */
function tryListening(address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}
