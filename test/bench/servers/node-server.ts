import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Server } from './server.ts'

/** Starts a server of this folder in a Node process of its own. */
export async function openNodeServer(file: string, args: string[]): Promise<Server> {
  const child = fork(join(import.meta.dirname, file), args)
  const exit = once(child, 'exit')
  const port = await Promise.race([
    once(child, 'message').then(([port]) => port as number),
    exit.then(([code]) => Promise.reject(new Error(`${file} ended with ${code}`))),
  ])
  return {
    url: `http://127.0.0.1:${port}`,
    pids: child.pid === undefined ? [] : [child.pid],
    dispose: async () => {
      child.kill()
      await exit
    },
  }
}
