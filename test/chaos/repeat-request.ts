import type { LedgerJob } from './ledger.ts'
import type { Stage } from './stage.ts'
import { type AnsweredRequest, findFault } from './unreliable-fetch.ts'
import { until } from './until.ts'

/** Repeats a request to a job that was answered with 200 until it is answered again. A different answer is a complaint. */
export async function repeatRequest(
  stage: Stage,
  { tenant, complaints }: LedgerJob,
  request: AnsweredRequest,
): Promise<void> {
  await until('a repeated request is answered', 60_000, async () => {
    const { url, key, body } = request
    const headers = {
      authorization: `Bearer ${stage.connectionOf(tenant).key}`,
      'content-type': 'application/json',
      'idempotency-key': key,
    }
    const signal = AbortSignal.timeout(30_000)
    const response = await fetch(url, { method: 'POST', headers, body, signal }).catch(() => undefined)
    if (response === undefined || response.status >= 500) return false
    const fault = findFault(response, await response.text(), request.text)
    if (fault !== undefined) complaints.push(fault)
    return true
  })
}
