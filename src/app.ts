import { Hono } from 'hono'
import { methodNotAllowed } from 'hono/method-not-allowed'
import type { EdgeEnv } from './http/edge-env.ts'
import { createJob } from './routes/create-job.ts'
import { getJob } from './routes/get-job.ts'
import { getJobStatus } from './routes/get-job-status.ts'
import { healthz } from './routes/healthz.ts'
import { listErrors, listWarnings } from './routes/list-entries.ts'
import { openapi } from './routes/openapi.ts'
import { reportProgress } from './routes/report-progress.ts'
import { isStoreError } from './store/store.ts'

/** The whole HTTP surface. A path answers with a slash behind it as well as without. */
export const app = new Hono<EdgeEnv>({ strict: false })

app.use(
  methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) =>
      c.json({ detail: 'Method Not Allowed' }, 405, { Allow: methods.join(', ') }),
  }),
)

app.route('/', createJob)
app.route('/', reportProgress)
app.route('/', getJob)
app.route('/', getJobStatus)
app.route('/', listErrors)
app.route('/', listWarnings)
app.route('/', healthz)
app.route('/', openapi)

app.notFound((c) => c.json({ detail: 'Not Found' }, 404))

app.onError((error, c) => {
  // What went wrong is for the log: a reply never carries a stack, a query or another system's words.
  console.error(c.req.method, c.req.routePath, error)
  if (isStoreError(error)) return c.json({ detail: 'Temporarily unavailable' }, 503, { 'Retry-After': '5' })
  return c.json({ detail: 'Internal Server Error' }, 500)
})
