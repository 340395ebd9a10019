import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MIGRATIONS, readWorkerSettings } from '../../../scripts/settings.ts'
import type { RuntimeWatch } from '../../../scripts/watch-runtimes.ts'
import { type Build, buildMilepost, type WrapperName } from './build-milepost.ts'
import { openWorker, type WorkerServer } from './open-worker.ts'

/** Milepost in a runtime of its own. */
export interface MilepostServer extends WorkerServer {
  /** The folder of its state. */
  state: string
  /** The database that new keys and imported jobs go into. */
  d1: () => Promise<D1Database>
}

interface Options {
  wrappers?: WrapperName[]
  /** The state of an earlier one. Default: a new one. */
  state?: string | undefined
  /** Overrides of the variables in wrangler.toml. */
  bindings?: Record<string, number>
  inspect?: boolean
}

/** Builds and opens Mileposts. */
export class Mileposts {
  readonly #dir: string
  readonly #runtimes: RuntimeWatch
  readonly #builds = new Map<string, Promise<Build>>()
  #opened = 0

  /** `dir` is for builds and states. */
  constructor(dir: string, runtimes: RuntimeWatch) {
    this.#dir = dir
    this.#runtimes = runtimes
  }

  async open(options: Options = {}): Promise<MilepostServer> {
    const { wrappers = [], bindings = {}, inspect = false } = options
    const worker = await readWorkerSettings()
    const { modules } = await this.build(wrappers)
    const state = options.state ?? join(this.#dir, `milepost-${++this.#opened}`)
    const server = await openWorker(
      {
        ...worker,
        bindings: { ...worker.bindings, ...bindings },
        ratelimits: {
          ...worker.ratelimits,
          REQUESTS: { namespace_id: 'REQUESTS', simple: { limit: 1_000_000_000, period: 60 } },
        },
        modules,
      },
      { state, runtimes: this.#runtimes, inspect },
    )
    if (options.state === undefined) {
      const migrations = await readMigrations(MIGRATIONS)
      for (const name of Object.keys(worker.d1Databases ?? {})) {
        const database = await server.miniflare.getD1Database(name)
        await database.batch(migrations.map((sql) => database.prepare(sql)))
      }
    }
    return { ...server, state, d1: () => server.miniflare.getD1Database('DB') }
  }

  /** The build with these wrappers, made once. */
  build(wrappers: WrapperName[] = []): Promise<Build> {
    const name = ['build', ...wrappers].join('-')
    const build = this.#builds.get(name) ?? this.#build(join(this.#dir, name), wrappers)
    this.#builds.set(name, build)
    return build
  }

  async #build(dir: string, wrappers: WrapperName[]): Promise<Build> {
    const { durableObjects = {} } = await readWorkerSettings()
    const objects = Object.values(durableObjects)
    const classes = objects.map((object) => (typeof object === 'string' ? object : object.className))
    return await buildMilepost(dir, { wrappers, classes })
  }
}

async function readMigrations(dir: string): Promise<string[]> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.sql')).sort()
  const texts = await Promise.all(names.map((name) => readFile(join(dir, name), 'utf8')))
  return texts.flatMap((text) => text.split('--> statement-breakpoint'))
}
