import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Plugin } from 'esbuild'
import type { Json, Miniflare, WorkerdStructuredLog } from 'miniflare'
import { checkPort, portTaken } from './check-port.ts'
import { d1Path, openD1File } from './local-database.ts'
import { PROJECT, readSettings, stateDir } from './settings.ts'
import { StateError, withStateErrors } from './state-error.ts'
import { lockState, type StateLock } from './state-lock.ts'
import { type RuntimeWatch, watchRuntimes } from './watch-runtimes.ts'

export interface EdgeOptions {
  /** The port to listen on; 0, and without one: any that is free. */
  port?: number
  /** 127.0.0.1 unless told otherwise. */
  host?: string
  /** Where the state lies, as wrangler's flag of this name means it; `.wrangler/state` unless told otherwise. */
  persistTo?: string
  /** Variables and secrets beside, or instead of, those of wrangler.toml and .dev.vars. */
  bindings?: Record<string, Json>
  /** Limits instead of those of wrangler.toml, by the names of their bindings: so much in 60 s. */
  rateLimits?: Record<string, number>
  /** Keeps the Worker's console to itself. */
  quiet?: boolean
  /** Told each line of the Worker's console, which then goes nowhere else. */
  onLine?: (line: string) => void
  /** The Worker to run; src/index.ts unless told otherwise. */
  entry?: string
}

export interface Edge {
  /** Where it listens, without a slash at the end. */
  url: string
  /** Its D1 database, the same that the Worker has. Ask again after the runtime was killed. */
  d1: () => ReturnType<Miniflare['getD1Database']>
  /** For tests that evict objects or look into them. */
  miniflare: Miniflare
  /** The process of the Workers runtime. Killed, it is started anew on the same port and state, under another id. */
  runtimePid: () => number
  /** The file of the D1 database, for tests that lock it. */
  d1File: () => string
  /** Stops listening and ends the runtime; resolves when it is gone. */
  dispose: () => Promise<void>
}

/**
 * Runs the Worker on this machine, in the runtime that Cloudflare runs it in, with what wrangler.toml binds it to, on a
 * database that is brought to the newest schema. No other edge can run on the same state meanwhile.
 *
 * Throws a StateError where the state cannot be used or is in use, and a PortError where the port cannot.
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
  const [{ convertV4MiniflareOptions, Log, LogLevel, Miniflare }, settings, script] = await Promise.all([
    import('miniflare'),
    readSettings(),
    bundle(options.entry ?? join(PROJECT, 'src/index.ts')),
  ])
  const { worker } = settings
  const d1File = d1Path(state, settings.databaseId)
  await withStateErrors(dirname(state), () => {
    lock.announce({ watchdogPid: runtimes.watchdogPid })
    // Before the runtime is up: no caller finds a database without its tables.
    const database = openD1File(d1File, settings.migrationsDir)
    try {
      // With the database locked for good, the edge would run, and record nothing.
      database.exec('BEGIN IMMEDIATE; ROLLBACK')
    } finally {
      database.close()
    }
  })
  const lines = holdBack(options)
  let closing = false
  class EdgeLog extends Log {
    // Ctrl-C reaches the runtime as well, and its end is no crash then.
    protected override log(message: string): void {
      if (!closing) super.log(message)
    }
  }
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...worker,
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
    const d1 = () => miniflare.getD1Database(settings.binding)
    return { url, d1, miniflare, runtimePid: runtimes.pid, d1File: () => d1File, dispose }
  } catch (error) {
    // Of a Miniflare that never was ready, this fails as its start did.
    await dispose().catch(() => {})
    // The runtime's own words would only bury an explanation.
    if (!(error instanceof StateError)) lines.letGo()
    if (error instanceof Error && 'code' in error && error.code === 'ERR_ADDRESS_IN_USE')
      throw portTaken(port)
    throw error
  }
}

/** Holds back the Worker's console, and what the runtime itself says, until the edge runs. */
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

/** Each in a namespace of its own, so that none counts what another does. */
function toRateLimits(limits: Record<string, number> = {}) {
  return Object.fromEntries(
    Object.entries(limits).map(([name, limit]) => [
      name,
      { namespace_id: name, simple: { limit, period: 60 as const } },
    ]),
  )
}

/** As the rules in wrangler.toml have it: the files of the page are for browsers, not for the Worker to run. */
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
    // As wrangler takes them by its default rules.
    loader: { '.txt': 'text', '.html': 'text', '.sql': 'text', '.bin': 'binary' },
    plugins: [pageAsText],
    logLevel: 'error',
  })
  const [script] = outputFiles
  if (script === undefined) throw new Error(`Nothing came of ${entry}`)
  return script.text
}
