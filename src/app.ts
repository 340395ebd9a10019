import { Hono } from 'hono'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { requestId } from 'hono/request-id'
import { endpoints } from './endpoints/all.ts'
import { discardUnread } from './http/body/discard-unread.ts'
import { allowOrigins } from './http/caller/allow-origins.ts'
import type { EdgeEnv } from './http/edge-env.ts'
import { isRuntimeFailure } from './http/reply/is-runtime-failure.ts'
import { logRefusals } from './http/reply/log-refusals.ts'
import { refuse } from './http/reply/refuse.ts'
import { keepPrivate, secureHeaders } from './http/reply/secure-headers.ts'
import { serve } from './http/serve.ts'
import { isStoreError } from './store/store.ts'

/** Everything served over HTTP. Paths work with and without a trailing slash. */
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
    onMethodNotAllowed: (c, methods) => refuse(c, { ok: false, reason: 'method_not_allowed', methods }),
  }),
)

for (const endpoint of endpoints) serve(app, endpoint)

app.notFound((c) => refuse(c, { ok: false, reason: 'no_such_path' }))

app.onError((error, c) => {
  // `logRefusals` logs the error. A reply never has a stack, a query or another system's words.
  const isOutage = isStoreError(error) || isRuntimeFailure(error)
  return refuse(c, { ok: false, reason: isOutage ? 'unavailable' : 'failed' })
})
