import { Hono } from 'hono'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { requestId } from 'hono/request-id'
import { allowOrigins } from './http/allow-origins.ts'
import { discardUnread } from './http/discard-unread.ts'
import type { EdgeEnv } from './http/edge-env.ts'
import { isRuntimeFailure } from './http/is-runtime-failure.ts'
import { logRefusals } from './http/log-refusals.ts'
import { refuse } from './http/refuse.ts'
import { keepPrivate, secureHeaders } from './http/secure-headers.ts'
import { cancelJob } from './routes/cancel-job.ts'
import { createJob } from './routes/create-job.ts'
import { getJob } from './routes/get-job.ts'
import { getJobStatus } from './routes/get-job-status.ts'
import { groupEntries } from './routes/group-entries.ts'
import { healthz } from './routes/healthz.ts'
import { listDeliveries } from './routes/list-deliveries.ts'
import { listErrors, listWarnings } from './routes/list-entries.ts'
import { listJobs } from './routes/list-jobs.ts'
import { openapi } from './routes/openapi.ts'
import { reportProgress } from './routes/report-progress.ts'
import { watchJob } from './routes/watch-job.ts'
import { isStoreError } from './store/store.ts'

/** The whole HTTP surface. A path answers with a slash behind it as well as without. */
export const app = new Hono<EdgeEnv>({ strict: false })

app.use(
  discardUnread,
  requestId({ headerName: 'X-Request-ID' }),
  logRefusals,
  secureHeaders,
  keepPrivate,
  allowOrigins,
)
app.use(
  methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) =>
      c.json({ detail: 'Method Not Allowed' }, 405, { Allow: methods.join(', ') }),
  }),
)

app.route('/', createJob)
app.route('/', listJobs)
app.route('/', reportProgress)
app.route('/', getJob)
app.route('/', getJobStatus)
app.route('/', cancelJob)
app.route('/', watchJob)
app.route('/', listDeliveries)
app.route('/', groupEntries)
app.route('/', listErrors)
app.route('/', listWarnings)
app.route('/', healthz)
app.route('/', openapi)

app.notFound((c) => c.json({ detail: 'Not Found' }, 404))

app.onError((error, c) => {
  // What went wrong is for the log, see logRefusals: a reply never carries a stack, a query or another system's words.
  if (isStoreError(error) || isRuntimeFailure(error)) return refuse(c, { ok: false, reason: 'unavailable' })
  return c.json({ detail: 'Internal Server Error' }, 500)
})
