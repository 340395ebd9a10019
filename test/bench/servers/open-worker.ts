import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from 'miniflare'
import { readWorkerSettings } from '../../../scripts/settings.ts'
import type { RuntimeWatch } from '../../../scripts/watch-runtimes.ts'
import type { Server } from './server.ts'

/** A Worker in a runtime of its own. */
export interface WorkerServer extends Server {
  miniflare: Miniflare
}

interface Options {
  /** The folder of its state. */
  state: string
  runtimes: RuntimeWatch
  /** Opens the inspector on a free port. */
  inspect?: boolean
}

/**
 * Runs a Worker in a new Workers runtime. Requests reach it through a direct socket: Miniflare's entry Worker would cost more
 * than what is measured.
 */
export async function openWorker(
  worker: V4WorkerOptions,
  { state, runtimes, inspect = false }: Options,
): Promise<WorkerServer> {
  await mkdir(state, { recursive: true })
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...worker,
      unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
      ...(inspect ? { inspectorPort: 0 } : {}),
      resourcePersistencePath: state,
      cf: false,
      logRequests: false,
      log: new Log(LogLevel.NONE),
      handleStructuredLogs: () => {},
    }),
  )
  await miniflare.ready
  const url = await miniflare.unsafeGetDirectURL()
  return { url: url.origin, pids: [runtimes.pid()], miniflare, dispose: () => miniflare.dispose() }
}

/** A Worker of the bench itself: a file in `workers/`. */
export async function benchWorker(
  file: string,
  bindings: Partial<V4WorkerOptions>,
): Promise<V4WorkerOptions> {
  const worker = await readWorkerSettings()
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, '../workers', file)],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*'],
    logLevel: 'error',
  })
  const contents = outputFiles[0]?.text ?? ''
  return {
    name: 'bench',
    compatibilityDate: worker.compatibilityDate,
    modules: [{ type: 'ESModule', path: 'index.js', contents }],
    ...bindings,
  } as V4WorkerOptions
}
