import { createMiddleware } from 'hono/factory'
import { within } from '../../within.ts'

/** A body this small, in bytes, has arrived whole by the time it is refused. */
const SMALL = 50_000
/** The most that is read of a refused body, in bytes and in ms. */
const MAX_DISCARDED_BYTES = 16 * 1024 * 1024
const MAX_DISCARDING_MS = 2_000

/**
 * Reads and drops the rest of a refused request's body after the reply. Closing the connection while a client is still
 * sending gives it a broken pipe instead of the reply.
 */
export const discardUnread = createMiddleware(async (c, next) => {
  await next()
  if (c.res.status < 400) return
  const { body, bodyUsed } = c.req.raw
  // Without a Content-Length, the middleware that counted the bytes holds the stream.
  if (body === null || bodyUsed || body.locked) return
  if (Number(c.req.header('Content-Length') ?? Number.POSITIVE_INFINITY) <= SMALL) return
  c.res = new Response(discardAfter(await c.res.text(), body.getReader()), c.res)
})

function discardAfter(reply: string, reader: ReadableStreamDefaultReader<Uint8Array>): ReadableStream {
  return new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(reply)),
    async pull(controller) {
      // If the sender is gone, nobody is left to tell.
      await within(MAX_DISCARDING_MS, discard(reader), undefined).catch(() => {})
      controller.close()
    },
  })
}

async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  for (let discarded = 0; discarded <= MAX_DISCARDED_BYTES; ) {
    const { done, value } = await reader.read()
    if (done) return
    discarded += value.length
  }
}
