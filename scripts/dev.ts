/**
 * `npm run dev` preloads this into wrangler. `wrangler dev` shares its state with `npm start`, but the two must not run at the
 * same time: each would keep its own version of every job.
 *
 * Nothing here may import wrangler. Once loaded as a library, its command line does nothing.
 */
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { isMainThread } from 'node:worker_threads'
import { stateDir } from './settings.ts'
import { StateError, withStateErrors } from './state-error.ts'
import { lockState } from './state-lock.ts'
import { watchNpm } from './watch-npm.ts'
import { watchRuntimes } from './watch-runtimes.ts'

// wrangler's threads load this file too.
if (isMainThread) await prepare()

async function prepare(): Promise<void> {
  const { values } = parseArgs({
    options: { 'persist-to': { type: 'string' } },
    strict: false,
    allowPositionals: true,
  })
  const persistTo = values['persist-to']
  const state = stateDir(typeof persistTo === 'string' ? persistTo : undefined)
  try {
    await withStateErrors(dirname(state), async () => {
      const lock = await lockState(state)
      lock.announce({ watchdogPid: watchRuntimes().watchdogPid })
      process.on('exit', lock.release)
      watchNpm(() => process.kill(process.pid, 'SIGTERM'))
    })
  } catch (error) {
    if (!(error instanceof StateError)) throw error
    console.error(error.message)
    process.exit(1)
  }
}
