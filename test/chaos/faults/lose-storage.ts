import { FaultError } from '../fault-error.ts'
import type { LastWords, Outcomes } from '../orders.ts'
import { repeatRequest } from '../repeat-request.ts'
import type { Run, WorkedJob } from '../run.ts'
import { until } from '../until.ts'
import { seeSuccessor } from './see-successor.ts'
import { tryOnWorkedJobs } from './try-on-worked-jobs.ts'

/** How long D1 may take to have all of a job that nobody reports on, in ms. */
const CATCH_UP = 60_000

export type Loss = Extract<Outcomes['lose storage'], { ok: true }>

/** A live object loses its storage and its memory; its successor has to take the job over from D1. */
export async function loseStorage(run: Run): Promise<void> {
  await tryOnWorkedJobs(run, hasReports, (job) =>
    job.standstill.during(async () => {
      if ((await deleteStorage(run, job, null)) === undefined) return false
      await takeOver(run, job)
      return true
    }),
  )
}

export function hasReports({ ledger }: WorkedJob): boolean {
  return ledger.reports.some(({ outcome }) => outcome === 'acknowledged')
}

/**
 * Deletes the storage of an object once D1 has all of its job, and puts it out of memory; undefined if the job is
 * finished. Its workers have to stand still, as whatever D1 lacks is rightly lost, the replies to their reports included.
 */
export async function deleteStorage(
  { stage }: Run,
  { ledger, answered }: WorkedJob,
  lastWords: LastWords | null,
): Promise<Loss | undefined> {
  const { jobId } = ledger
  let loss: Outcomes['lose storage'] | undefined
  await until('D1 has a job whole', CATCH_UP, async () => {
    loss = await stage.order({ do: 'lose storage', jobId, lastWords })
    return loss.ok || loss.reason === 'not_live'
  })
  if (!loss?.ok) return undefined
  // The replies are gone, except the create's: that one is made from the job.
  answered.splice(1)
  await seeSuccessor(stage, jobId, loss.instance)
  return loss
}

/** Reads a job whose object lost its storage, so that the successor takes it over; then repeats its create. */
export async function takeOver({ stage, injected }: Run, { ledger, answered }: WorkedJob): Promise<void> {
  const { jobId } = ledger
  await until('the job is read again', 30_000, async () => {
    const { status, ok } = await stage.get(`/api/jobs/${jobId}`)
    if (status === 404) ledger.complaints.push('a job that D1 has whole was not found by its new object')
    return ok || status === 404
  })
  const { epoch } = await stage.order({ do: 'look', jobId })
  if (epoch === null) throw new FaultError(`${jobId} was read, and yet was not taken over`)
  injected.lostStorages++
  const [create] = answered
  if (create !== undefined)
    await repeatRequest(stage, create, (complaint) => ledger.complaints.push(complaint))
}
