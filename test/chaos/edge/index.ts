/** The edge of a chaos run: the product, plus a route that injects faults from inside. */
// Must come first: the product keeps a reference to `Date.now`.
import './moved-clock.ts'

import type { Env } from '../../../src/env.ts'
import product from '../../../src/index.ts'
import { jobObject } from '../../../src/job-object/address.ts'
import { type JobRecord, packRecord, recordJobs } from '../../../src/store/record-jobs.ts'
import { openStore } from '../../../src/store/store.ts'
import { COMMANDS_PATH, type Command, ORGANIZATION } from '../edge-commands.ts'
import { catchOutcome, type JobObject } from './faulty-job-object.ts'
import type { RecorderObject } from './mortal-recorder-object.ts'
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
  const objectOf = (jobId: string) =>
    jobObject(env.JOBS, { organizationId: ORGANIZATION, jobId }) as unknown as FaultCalls
  switch (command.do) {
    case 'move clock':
      return moveClock(command.by)
    case 'inspect':
      return await objectOf(command.jobId).inspect()
    case 'lose storage':
      return await catchOutcome(objectOf(command.jobId).loseStorage(command.finalReport))
    case 'age journal':
      return await catchOutcome(objectOf(command.jobId).ageJournal())
    case 'kill recorder':
      return await killRecorder(env)
    case 'write record':
      return (await recordJobs(openStore(env.DB), [packRecord(command.record as unknown as JobRecord)]))[0]
  }
}

/** Whether a call ended with the recorder that took it. */
async function killRecorder(env: Env): Promise<boolean> {
  const recorder = env.RECORDERS.getByName('DB/0') as unknown as Pick<RecorderObject, 'kill'>
  try {
    await recorder.kill()
    return false
  } catch {
    return true
  }
}
