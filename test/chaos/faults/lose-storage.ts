import type { CommandResults, FinalReport } from '../edge-commands.ts'
import { FaultError } from '../fault-error.ts'
import { repeatRequest } from '../repeat-request.ts'
import type { ActiveJob, Run } from '../run.ts'
import { until } from '../until.ts'
import { inspectSuccessor } from './inspect-successor.ts'
import { tryOnActiveJobs } from './try-on-active-jobs.ts'

/** How long D1 may take to catch up with a paused job. */
const CATCH_UP_MS = 60_000

type Loss = Extract<CommandResults['lose storage'], { ok: true }>

/** Deletes the storage and memory of a live object. Its successor must load the job from D1. */
export async function loseStorage(run: Run): Promise<void> {
  await tryOnActiveJobs(run, hasReports, (job) =>
    job.gate.whileClosed(async () => {
      if ((await deleteStorage(run, job, null)) === undefined) return false
      await takeOver(run, job)
      return true
    }),
  )
}

export function hasReports({ ledger }: ActiveJob): boolean {
  return ledger.reports.some(({ outcome }) => outcome === 'acknowledged')
}

/**
 * Deletes the storage and memory of an object once D1 has all of its job. Returns undefined if the job is finished. The gate of
 * the job must be closed: anything not yet in D1 is lost by design, including idempotent replies.
 */
export async function deleteStorage(
  { stage }: Run,
  { ledger, answered }: ActiveJob,
  finalReport: FinalReport | null,
): Promise<Loss | undefined> {
  const { tenant, jobId } = ledger
  let loss: CommandResults['lose storage'] | undefined
  await until('D1 has all of a job', CATCH_UP_MS, async () => {
    loss = await stage.command({ do: 'lose storage', tenant, jobId, finalReport })
    return loss.ok || loss.reason === 'not_live'
  })
  if (!loss?.ok) return undefined
  // The replies are lost, except the create's, which is rebuilt from the job.
  answered.splice(1)
  await inspectSuccessor(stage, ledger, loss.instance)
  return loss
}

/** Reads a job whose object lost its storage, which makes the successor load it. Then repeats the create. */
export async function takeOver({ stage, injected }: Run, { ledger, answered }: ActiveJob): Promise<void> {
  const { tenant, jobId } = ledger
  await until('the job can be read again', 30_000, async () => {
    const { status, ok } = await stage.get(tenant, `/api/jobs/${jobId}`)
    if (status === 404) ledger.complaints.push('the new object did not find a job that is in D1')
    return ok || status === 404
  })
  const { epoch } = await stage.command({ do: 'inspect', tenant, jobId })
  if (epoch === null) throw new FaultError(`${jobId} was read but not loaded into its object`)
  injected.lostStorages++
  const [create] = answered
  if (create !== undefined) await repeatRequest(stage, ledger, create)
}
