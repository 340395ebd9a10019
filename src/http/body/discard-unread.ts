import { createMiddleware } from 'hono/factory'

/** A body of at most so many bytes has arrived whole by the time that it is refused. */
const SMALL = 50_000
/** What is discarded of a body at most, in bytes and in milliseconds. */
const MAX_DISCARDED_BYTES = 16 * 1024 * 1024
const MAX_DISCARDING_MS = 2000

/**
 * Discards, behind the reply, what a caller is still sending whose request was refused unread. A connection that is
 * closed on a client in the midst of sending shows it a broken pipe, and hides why it was refused.
 */
export const discardUnread = createMiddleware(async (c, next) => {
  await next()
  if (c.res.status < 400) return
  const { body, bodyUsed } = c.req.raw
  // Of a body without a length, whoever counted its bytes holds the rest.
  if (body === null || bodyUsed || body.locked) return
  if (Number(c.req.header('Content-Length') ?? Number.POSITIVE_INFINITY) <= SMALL) return
  c.res = new Response(discardBehind(await c.res.text(), body.getReader()), c.res)
})

function discardBehind(reply: string, reader: ReadableStreamDefaultReader<Uint8Array>): ReadableStream {
  let timer: ReturnType<typeof setTimeout> | undefined
  let discarded = 0
  // A sender that is gone or fails has ended too: there is nobody left to tell.
  const gone = () => ({ done: true, value: undefined })
  const patience = new Promise<ReturnType<typeof gone>>((resolve) => {
    timer = setTimeout(() => resolve(gone()), MAX_DISCARDING_MS)
  })
  return new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(reply)),
    async pull(controller) {
      while (discarded <= MAX_DISCARDED_BYTES) {
        const { done, value } = await Promise.race([reader.read().catch(gone), patience])
        if (done) break
        discarded += value?.length ?? 0
      }
      clearTimeout(timer)
      controller.close()
    },
    cancel() {
      clearTimeout(timer)
    },
  })
}
