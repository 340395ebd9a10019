import { join } from 'node:path'
import type { V4WorkerOptions } from 'miniflare'
import { openNodeServer } from '../servers/node-server.ts'
import { benchWorker, openWorker } from '../servers/open-worker.ts'
import { type Fsync, openRedis } from '../servers/redis.ts'
import { CREATE_TABLE, FILL_TABLE } from '../workers/plain-table.ts'
import { type Contender, leadInOf, plainReports, type Spread } from './contender.ts'

/** What a user would write instead of Milepost. None of them checks a credential, so each does a little less. */
export const alternatives: Record<string, (spread: Spread) => Contender> = {
  d1: (spread) => withD1('D1, no object', 'alternative-d1.ts', {}, spread),
  object_d1: (spread) => {
    const durableObjects = { OBJECTS: { className: 'JobObject', useSQLite: true } }
    return withD1('an object with D1', 'alternative-object.ts', { durableObjects }, spread)
  },
  node_sqlite: (spread) => ({
    name: 'Node and SQLite',
    leadIn: leadInOf(spread),
    async open({ folder }) {
      const file = join(await folder(), 'jobs.sqlite')
      const server = await openNodeServer('node-sqlite.ts', [file, String(spread.jobs)])
      return { ...server, load: plainReports(server.url, spread) }
    },
  }),
  bullmq_everysec: (spread) => withRedis('everysec', spread),
  bullmq_always: (spread) => withRedis('always', spread),
}

function withD1(name: string, file: string, options: Partial<V4WorkerOptions>, spread: Spread): Contender {
  return {
    name,
    leadIn: leadInOf(spread),
    async open({ folder, runtimes }) {
      const worker = await benchWorker(file, { ...options, d1Databases: { DB: 'bench' } })
      const server = await openWorker(worker, { state: await folder(), runtimes })
      const database = await server.miniflare.getD1Database('DB')
      await database.batch([database.prepare(CREATE_TABLE), database.prepare(FILL_TABLE).bind(spread.jobs)])
      return { ...server, load: plainReports(server.url, spread) }
    },
  }
}

function withRedis(fsync: Fsync, spread: Spread): Contender {
  return {
    name: `BullMQ, fsync ${fsync}`,
    leadIn: leadInOf(spread),
    async open({ folder }) {
      const redis = await openRedis(await folder(), fsync)
      const args = [String(redis.port), String(spread.jobs)]
      const server = await openNodeServer('node-bullmq.ts', args).catch(async (error) => {
        await redis.dispose()
        throw error
      })
      return {
        load: plainReports(server.url, spread),
        pids: [...server.pids, ...redis.pids],
        dispose: async () => {
          await server.dispose()
          await redis.dispose()
        },
      }
    },
  }
}
