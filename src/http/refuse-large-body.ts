import type { Context } from 'hono'

/** What is discarded of a body at most, in bytes and in milliseconds. */
const MAX_DISCARDED_BYTES = 16 * 1024 * 1024
const MAX_DISCARDING_MS = 2000

/**
 * 413, said at once, without waiting for the body. What is still on its way is discarded behind the reply: a
 * connection that is closed on a client in the midst of sending shows it a broken pipe, and hides the 413.
 */
export function refuseLargeBody(c: Context, maxBytes: number): Response {
  const reply = JSON.stringify({ detail: `The body is larger than ${maxBytes} bytes` })
  const headers = { 'Content-Type': 'application/json' }
  const { body } = c.req.raw
  // Of a body without a length, whoever counted its bytes holds the rest.
  if (!body || body.locked) return c.body(reply, 413, headers)
  return c.body(discardBehind(reply, body.getReader()), 413, headers)
}

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
