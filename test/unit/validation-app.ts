import { Hono } from 'hono'
import { discardUnread } from '../../src/http/discard-unread.ts'
import { jsonBody } from '../../src/http/json-body.ts'
import type { Problem } from '../../src/http/validation-error.ts'
import { NewJobBody, toNewJob } from '../../src/routes/new-job-body.ts'
import { ReportBody, toReport } from '../../src/routes/report-body.ts'

/** The two bodies behind their real paths, and what a refusal leaves unread; what a valid one became is the reply. */
export const app = new Hono({ strict: false })
  .use(discardUnread)
  .post('/api/jobs', ...jsonBody(NewJobBody), (c) => c.json(toNewJob(c.req.valid('json'))))
  .post('/api/jobs/:job_id/progress', ...jsonBody(ReportBody), (c) => c.json(toReport(c.req.valid('json'))))

export const REPORT = '/api/jobs/job_1/progress'
export const CREATE = '/api/jobs'

export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: what a reply holds is what the tests look at
  json: any
}

const JSON_HEADERS = { 'Content-Type': 'application/json' }

/** Posts bytes, or a text as UTF-8. As bytes, so that no content type comes of itself. */
export async function post(
  path: string,
  body: string | Uint8Array<ArrayBuffer> | null,
  headers: Record<string, string> = JSON_HEADERS,
): Promise<Answer> {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const response = await app.request(path, { method: 'POST', headers, body: bytes })
  return { status: response.status, json: await response.json() }
}

/** The problems that a report is refused with; fails where it is not. */
export async function problemsOf(report: unknown, path = REPORT): Promise<Problem[]> {
  const { status, json } = await post(path, typeof report === 'string' ? report : JSON.stringify(report))
  if (status !== 422) throw new Error(`Expected 422, got ${status}: ${JSON.stringify(json)}`)
  return json.detail
}

/** Problems in one fixed order: theirs is nobody's promise. */
export function sorted(problems: Problem[]): Problem[] {
  return problems.toSorted((a, b) =>
    JSON.stringify([a.loc, a.type]) < JSON.stringify([b.loc, b.type]) ? -1 : 1,
  )
}
