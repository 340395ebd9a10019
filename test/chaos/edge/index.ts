/** The edge of a chaos run: the product, plus a route that injects faults from inside. */
// Must come first: the product keeps a reference to `Date.now`.
import './moved-clock.ts'

import type { Env } from '../../../src/env.ts'
import product from '../../../src/index.ts'
import { jobObject } from '../../../src/job-object/address.ts'
import { databaseOf } from '../../../src/store/databases.ts'
import { type JobRecord, packRecord, recordJobs } from '../../../src/store/record-jobs.ts'
import { openStore } from '../../../src/store/store.ts'
import { COMMANDS_PATH, type Command, type OpaqueRecord, type Tenant } from '../edge-commands.ts'
import { catchOutcome, type JobObject } from './faulty-job-object.ts'
import { KILLED, type RecorderObject } from './mortal-recorder-object.ts'
import { moveClock } from './moved-clock.ts'

export { JobObject } from './faulty-job-object.ts'
export { RecorderObject } from './mortal-recorder-object.ts'

type FaultCalls = Pick<JobObject, 'inspect' | 'loseStorage' | 'ageJournal'>

export default {
  ...product,
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname !== COMMANDS_PATH) return await product.fetch(request, env, ctx)
    return Response.json(await runCommand((await request.json()) as Command, env))
  },
} satisfies ExportedHandler<Env>

async function runCommand(command: Command, env: Env): Promise<unknown> {
  const objectOf = ({ tenant, jobId }: { tenant: Tenant; jobId: string }) =>
    jobObject(env.JOBS, { organizationId: tenant.organization, jobId }) as unknown as FaultCalls
  switch (command.do) {
    case 'move clock':
      return moveClock(command.by)
    case 'inspect':
      return await objectOf(command).inspect(command.tenant.database)
    case 'lose storage':
      return await catchOutcome(objectOf(command).loseStorage(command.tenant.database, command.finalReport))
    case 'age journal':
      return await catchOutcome(objectOf(command).ageJournal())
    case 'kill recorder':
      return await killRecorder(env, command.database)
    case 'write record':
      return await writeRecord(env, command.database, command.record)
  }
}

async function writeRecord(env: Env, database: string, record: OpaqueRecord): Promise<unknown> {
  const store = openStore(databaseOf(env, database))
  return (await recordJobs(store, [packRecord(record as unknown as JobRecord)]))[0]
}

/** Kills the recorder of a database if it is busy. Returns whether the call ended with it. */
async function killRecorder(env: Env, database: string): Promise<boolean> {
  const recorder = env.RECORDERS.getByName(`${database}/0`) as unknown as Pick<RecorderObject, 'killIfBusy'>
  try {
    await recorder.killIfBusy()
    return false
  } catch (error) {
    if (!String(error).includes(KILLED)) throw error
    return true
  }
}
