import { Webhook } from 'standardwebhooks'
import type { Attempt, JobKey, JobSnapshot } from '../jobs/job.ts'
import { presentJob } from '../jobs/present-job.ts'
import { logTrouble, ofJob } from '../log.ts'
import type { Store } from '../store/store.ts'
import { findWebhookSecret } from '../store/webhook-secrets.ts'

/** How long a receiver may take to answer, in ms. */
const PATIENCE = 15_000

/**
 * Posts a finished job to its callback URL once, signed by the Standard Webhooks scheme with the organisation's secret.
 * What went wrong is in the attempt, in our own words, since callers can read it. `now` is in ms. Throws where D1 does.
 */
export async function deliver(
  store: Store,
  held: JobSnapshot & { key: JobKey },
  now: number,
): Promise<Attempt> {
  const { key, job } = held
  const secret = await findWebhookSecret(store, key.organizationId)
  if (secret === undefined) return { at: now, status: null, error: 'The organisation has no signing secret' }
  try {
    const id = `msg_${job.jobId}`
    const payload = presentJob(held, now)
    const response = await fetch(job.callbackUrl ?? '', {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(now / 1_000)),
        'webhook-signature': new Webhook(secret).sign(id, new Date(now), payload),
      },
      body: payload,
      // A redirect could lead where the URL itself was not allowed to.
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE),
    })
    await response.body?.cancel()
    return { at: now, status: response.status, error: response.ok ? null : 'The receiver did not accept it' }
  } catch (error) {
    logTrouble('webhook_not_sent', ofJob(key), error)
    return { at: now, status: null, error: 'The receiver could not be reached' }
  }
}
