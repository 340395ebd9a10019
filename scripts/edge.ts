import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Plugin } from 'esbuild'
import type { Json, Miniflare, WorkerdStructuredLog } from 'miniflare'
import { checkPort, portTaken } from './check-port.ts'
import { buildStaleSite } from './docs/build-site.ts'
import { localDatabases, openD1File } from './local-database.ts'
import { PROJECT, readDatabases, readWorkerSettings, stateDir } from './settings.ts'
import { StateError, withStateErrors } from './state-error.ts'
import { lockState, type StateLock } from './state-lock.ts'
import { type RuntimeWatch, watchRuntimes } from './watch-runtimes.ts'

export interface EdgeOptions {
  /** The port to listen on. Default 0: any free port. */
  port?: number
  /** Default 127.0.0.1. */
  host?: string
  /** The state folder, as in wrangler's `--persist-to`. Default `.wrangler/state`. */
  persistTo?: string
  /** Variables and secrets that add to or override those in wrangler.toml and .dev.vars. */
  bindings?: Record<string, Json>
  /** Overrides of the rate limits in wrangler.toml, per 60 s, by binding name. */
  rateLimits?: Record<string, number>
  /** At least this many D1 databases. Default: those in wrangler.toml and those that the state has already. */
  databases?: number
  /** Discards the Worker's console output. */
  quiet?: boolean
  /** Receives each line of the Worker's console instead of this process's console. */
  onLine?: (line: string) => void
  /** The Worker's entry file. Default src/index.ts. */
  entry?: string
}

export interface Edge {
  /** The base URL, without a trailing slash. */
  url: string
  /** A D1 database of the Worker by its binding, default `DB`. Call this again after the runtime was killed. */
  d1: (binding?: string) => ReturnType<Miniflare['getD1Database']>
  /** For tests that evict objects or inspect them. */
  miniflare: Miniflare
  /** The process id of the Workers runtime. A killed runtime restarts on the same port and state, with a new id. */
  runtimePid: () => number
  /** The path of the file of a D1 database by its binding, default `DB`: for tests that lock it. */
  d1File: (binding?: string) => string
  /** Stops listening and ends the runtime. Resolves when the process is gone. */
  dispose: () => Promise<void>
}

/**
 * Runs the Worker on this machine, in Cloudflare's own runtime, with the bindings of wrangler.toml. Migrates the databases
 * first, and locks the state: no other edge can run on it.
 *
 * Throws a StateError if the state is unusable or in use, and a PortError if the port is.
 */
export async function openEdge(options: EdgeOptions = {}): Promise<Edge> {
  const state = stateDir(options.persistTo)
  const lock = await withStateErrors(dirname(state), () => lockState(state))
  const runtimes = watchRuntimes()
  const release = () => {
    runtimes.dispose()
    lock.release()
  }
  try {
    const edge = await run(options, state, lock, runtimes)
    return { ...edge, dispose: () => edge.dispose().finally(release) }
  } catch (error) {
    release()
    throw error
  }
}

async function run(
  options: EdgeOptions,
  state: string,
  lock: StateLock,
  runtimes: RuntimeWatch,
): Promise<Edge> {
  const { host = '127.0.0.1', port = 0 } = options
  await checkPort(host, port)
  const [{ convertV4MiniflareOptions, Log, LogLevel, Miniflare }, worker, script] = await Promise.all([
    import('miniflare'),
    readWorkerSettings(),
    bundle(options.entry ?? join(PROJECT, 'src/index.ts')),
    buildStaleSite(),
  ])
  const databases = localDatabases(readDatabases(), state, options.databases)
  await withStateErrors(dirname(state), () => {
    lock.announce({ watchdogPid: runtimes.watchdogPid })
    // Migrate before the runtime starts: no caller may find a database without its tables.
    for (const { path } of databases) {
      const database = openD1File(path)
      try {
        // If another process holds the database locked, the edge would run but record nothing. Fail now.
        database.exec('BEGIN IMMEDIATE; ROLLBACK')
      } finally {
        database.close()
      }
    }
  })
  const lines = holdBack(options)
  let closing = false
  class EdgeLog extends Log {
    // Ctrl-C also reaches the runtime, which then ends. Don't log that as a crash.
    protected override log(message: string): void {
      if (!closing) super.log(message)
    }
  }
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...worker,
      d1Databases: Object.fromEntries(databases.map(({ binding, id }) => [binding, { id }])),
      bindings: { ...worker.bindings, ...options.bindings },
      ratelimits: { ...worker.ratelimits, ...toRateLimits(options.rateLimits) },
      modules: [{ type: 'ESModule', path: 'index.js', contents: script }],
      host,
      port,
      resourcePersistencePath: state,
      cf: false,
      logRequests: false,
      log: new EdgeLog(options.quiet ? LogLevel.NONE : LogLevel.WARN),
      handleStructuredLogs: lines.take,
    }),
  )
  const dispose = async () => {
    closing = true
    await miniflare.dispose()
  }
  try {
    const url = await withStateErrors(dirname(state), async () => {
      const { origin } = await miniflare.ready
      lock.announce({ address: origin })
      return origin
    })
    lines.letGo()
    const d1 = (binding = 'DB') => miniflare.getD1Database(binding)
    const d1File = (binding = 'DB') => {
      const found = databases.find((database) => database.binding === binding)
      if (found === undefined) throw new Error(`There is no database ${binding}`)
      return found.path
    }
    return { url, d1, miniflare, runtimePid: runtimes.pid, d1File, dispose }
  } catch (error) {
    // If Miniflare never started, dispose() rejects with the startup error.
    await dispose().catch(() => {})
    // A StateError already explains the failure; the runtime's output would only bury it.
    if (!(error instanceof StateError)) lines.letGo()
    if (error instanceof Error && 'code' in error && error.code === 'ERR_ADDRESS_IN_USE')
      throw portTaken(port)
    throw error
  }
}

/** Buffers the output of the Worker and the runtime until the edge is up. */
function holdBack({ quiet, onLine }: EdgeOptions) {
  let held: WorkerdStructuredLog[] | undefined = []
  const print = ({ level, message }: WorkerdStructuredLog) => {
    if (onLine !== undefined) onLine(message)
    else if (!quiet) (level === 'error' || level === 'warn' ? console.error : console.log)(message)
  }
  return {
    take: (line: WorkerdStructuredLog) => {
      if (held === undefined) print(line)
      else held.push(line)
    },
    letGo: () => {
      held?.forEach(print)
      held = undefined
    },
  }
}

/** Gives each limit its own namespace, because limits in one namespace share a counter. */
function toRateLimits(limits: Record<string, number> = {}) {
  return Object.fromEntries(
    Object.entries(limits).map(([name, limit]) => [
      name,
      { namespace_id: name, simple: { limit, period: 60 as const } },
    ]),
  )
}

/** Mirrors the rules in wrangler.toml: the dashboard's files are text to serve, not code of the Worker. */
const pageAsText: Plugin = {
  name: 'page-as-text',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/]dashboard[\\/][^\\/]+$/ }, async ({ path }) => ({
      contents: await readFile(path, 'utf8'),
      loader: 'text',
    }))
  },
}

async function bundle(entry: string): Promise<string> {
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    // wrangler's default rules.
    loader: { '.txt': 'text', '.html': 'text', '.sql': 'text', '.bin': 'binary' },
    plugins: [pageAsText],
    logLevel: 'error',
  })
  const [script] = outputFiles
  if (script === undefined) throw new Error(`Bundling ${entry} produced no output`)
  return script.text
}
