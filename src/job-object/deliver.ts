import { Webhook } from 'standardwebhooks'
import type { AttemptOutcome } from '../jobs/delivery.ts'
import type { JobSnapshot } from '../jobs/job.ts'
import { presentJob } from '../jobs/present-job.ts'

/** How long a receiver may take to respond, in ms. */
const TIMEOUT_MS = 15_000

/**
 * Posts a finished job to its callback URL once, signed by the Standard Webhooks scheme with the organization's secret.
 * The attempt describes failures in our own words, because callers can read it. Throws if `findSecret` does; nothing
 * was attempted then.
 */
export async function deliver(
  { job, ...entries }: JobSnapshot,
  findSecret: () => Promise<string | undefined>,
): Promise<AttemptOutcome> {
  const at = Date.now()
  const ended = (status: number | null, error: string | null, more: Partial<AttemptOutcome> = {}) => ({
    attempt: { at, status, error },
    endedAt: Date.now(),
    isGone: false,
    retryAfter: null,
    ...more,
  })
  const secret = await findSecret()
  if (secret === undefined) return ended(null, 'The organization has no signing secret')
  try {
    const id = `msg_${job.jobId}`
    const payload = presentJob({ job, ...entries }, at)
    const response = await fetch(job.callbackUrl ?? '', {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at / 1_000)),
        'webhook-signature': new Webhook(secret).sign(id, new Date(at), payload),
      },
      body: payload,
      // A redirect could lead to an address that the URL itself may not name.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    await response.body?.cancel()
    const { status, ok } = response
    if (ok) return ended(status, null)
    if (status === 410) return ended(status, 'The receiver wants no more deliveries', { isGone: true })
    return ended(status, 'The receiver did not accept it', { retryAfter: readRetryAfter(response) })
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError'
    return ended(
      null,
      isLate
        ? `The receiver did not answer within ${TIMEOUT_MS / 1_000} s`
        : 'The receiver could not be reached',
    )
  }
}

/** How long a 429 or 503 asks us to wait, in ms. `Retry-After` is in seconds or a date. */
function readRetryAfter({ status, headers }: Response): number | null {
  const value = headers.get('Retry-After')
  if (value === null || (status !== 429 && status !== 503)) return null
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now()
  return Number.isNaN(ms) ? null : Math.max(0, ms)
}
