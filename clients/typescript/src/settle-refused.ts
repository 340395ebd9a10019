import { RequestRefusedError } from './errors.ts'
import { toError } from './listeners.ts'
import { newKey } from './new-key.ts'
import { type Outgoing, splitRefused, writeOutgoing } from './outgoing.ts'
import type { PendingReports } from './pending-reports.ts'
import type { PreparedReport } from './prepare-report.ts'

interface Refusal {
  /** What will not be sent again. */
  refused: PreparedReport
  problem: Error
}

/** Takes what the API refused out of the queue: the parts that it named or, if it named none, the whole report. */
export function settleRefused(pending: PendingReports, report: Outgoing, thrown: unknown): Refusal {
  const error = toError(thrown)
  const { refused, rest } = error instanceof RequestRefusedError ? split(report, error) : { refused: report }
  if (rest === undefined) pending.settle()
  else pending.keep(rest, newKey())
  const problem =
    error instanceof RequestRefusedError
      ? new RequestRefusedError(error.status, error.detail, JSON.parse(writeOutgoing(refused)))
      : error
  return { refused, problem }
}

function split(
  report: Outgoing,
  { status, detail }: RequestRefusedError,
): { refused: PreparedReport; rest?: PreparedReport } {
  if (status === 422) return splitRefused(report, detail)
  // Too large as a whole can only be its metadata: entries are cut to what fits.
  if (status === 413) return splitRefused(report, [{ loc: ['body'] }])
  return { refused: report }
}
