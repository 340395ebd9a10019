import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'

/** Serves an app from a child process, and sends the parent its port. The process ends with its parent. */
export function serveFromChild({
  fetch,
}: {
  fetch: (request: Request) => Response | Promise<Response>
}): void {
  process.on('disconnect', () => process.exit())
  serve({ fetch, hostname: '127.0.0.1', port: 0 }, ({ port }: AddressInfo) => process.send?.(port))
}
