import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { until } from '../../chaos/until.ts'

/** When Redis syncs its log to disk: each second, or before each reply. */
export type Fsync = 'everysec' | 'always'

export interface Redis {
  port: number
  pids: number[]
  dispose: () => Promise<void>
}

/** Whether this machine has a Redis to compare with. */
export function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0
}

/** Starts a Redis whose data is in `dir`. */
export async function openRedis(dir: string, fsync: Fsync): Promise<Redis> {
  const port = await freePort()
  const options = { port, bind: '127.0.0.1', dir, save: '', appendonly: 'yes', appendfsync: fsync }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const child = spawn('redis-server', args, { stdio: 'ignore' })
  const exit = once(child, 'exit')
  const kill = () => child.kill()
  // It does not end with its parent.
  process.on('exit', kill)
  await until('Redis answers', 10_000, () => isListening(port))
  return {
    port,
    pids: child.pid === undefined ? [] : [child.pid],
    dispose: async () => {
      kill()
      await exit
      process.off('exit', kill)
    },
  }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
