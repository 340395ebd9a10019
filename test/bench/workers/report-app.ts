import { zValidator } from '@hono/zod-validator'
import { Hono } from 'hono'
import { z } from 'zod'
import type { PlainReport } from './plain-job.ts'

const ReportBody = z.object({
  stage: z.string().max(4_096).nullable().optional(),
  processed_items: z.int().nullable().optional(),
})

interface Handlers<Bindings> {
  report: (env: Bindings, jobId: string, report: PlainReport) => Promise<object> | object
  read?: (env: Bindings, jobId: string) => Promise<object>
}

/** Hono, with the body validated by zod. The floors and the alternatives share it, on Workers and on Node. */
export function reportApp<Bindings extends object>({ report, read }: Handlers<Bindings>) {
  const app = new Hono<{ Bindings: Bindings }>()
  app.post('/api/jobs/:job_id/progress', zValidator('json', ReportBody), async (c) =>
    c.json(await report(c.env as Bindings, c.req.param('job_id'), c.req.valid('json'))),
  )
  if (read)
    app.get('/api/jobs/:job_id', async (c) => c.json(await read(c.env as Bindings, c.req.param('job_id'))))
  return app
}
