import { Hono } from 'hono'
import { createJob, NewJobRequest, toNewJob } from '../../src/endpoints/create-job.ts'
import { JobProgressRequest, reportProgress, toReport } from '../../src/endpoints/report-progress.ts'
import { discardUnread } from '../../src/http/body/discard-unread.ts'
import type { EdgeEnv } from '../../src/http/edge-env.ts'
import { endpoint } from '../../src/http/endpoint.ts'
import type { Problem } from '../../src/http/reply/validation-error.ts'
import { serve } from '../../src/http/serve.ts'

/** Creating and reporting, without a credential. The reply shows what a valid body becomes. */
export const app = new Hono<EdgeEnv>({ strict: false }).use(discardUnread)
serve(
  app,
  endpoint({
    ...createJob,
    permission: null,
    body: { schema: NewJobRequest, example: {} },
    handle: (c) => c.json(toNewJob(c.req.valid('json'))),
  }),
)
serve(
  app,
  endpoint({
    ...reportProgress,
    permission: null,
    body: { schema: JobProgressRequest, example: {} },
    handle: (c) => c.json(toReport(c.req.valid('json'))),
  }),
)

export const REPORT = '/api/jobs/job_1/progress'
export const CREATE = '/api/jobs'

export interface Reply {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: what a reply holds is what the tests look at
  json: any
}

const JSON_HEADERS = { 'Content-Type': 'application/json' }

/** Posts bytes, or a text as the bytes of its UTF-8: a string would get a content type. */
export async function post(
  path: string,
  body: string | Uint8Array<ArrayBuffer> | null,
  headers: Record<string, string> = JSON_HEADERS,
): Promise<Reply> {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const response = await app.request(path, { method: 'POST', headers, body: bytes })
  return { status: response.status, json: await response.json() }
}

/** The problems of a report. Throws unless it is refused with 422. */
export async function problemsOf(report: unknown, path = REPORT): Promise<Problem[]> {
  const { status, json } = await post(path, typeof report === 'string' ? report : JSON.stringify(report))
  if (status !== 422) throw new Error(`Expected 422, got ${status}: ${JSON.stringify(json)}`)
  return json.detail
}

/** Problems in a fixed order, because theirs is not promised. */
export function sorted(problems: Problem[]): Problem[] {
  return problems.toSorted((a, b) =>
    JSON.stringify([a.loc, a.type]) < JSON.stringify([b.loc, b.type]) ? -1 : 1,
  )
}
