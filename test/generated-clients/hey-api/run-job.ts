import { client } from './generated/client.gen.ts'
import {
  createJob,
  type ErrorResponse,
  getJob,
  getJobStatus,
  type HttpValidationError,
  type JobProgressRequest,
  listJobs,
  reportJobProgress,
} from './generated/index.ts'

/** Runs a job through the client of @hey-api/openapi-ts. Prints what it read, as JSON. */

const [baseUrl = '', key = ''] = process.argv.slice(2)
client.setConfig({ baseUrl, auth: key })

const created = await createJob({
  body: { job_type: 'import', total_items: 3, metadata: { source: 'sftp' } },
})
if (created.error) throw new Error(`Not created: ${detailOf(created.error)}`)
const path = { job_id: created.data.job_id }

await report({ mark_started: true, stage: 'uploading' })
await report({
  processed_items: 1,
  error: { entity_type: 'product', entity_key: 'sku-2', error_type: 'no_price', message: 'No price' },
})
await report({
  processed_items: 2,
  message: 'Nearly there',
  warning: { entity_type: 'product', entity_key: 'sku-3', error_type: 'no_image', message: 'No image' },
})
const polled = await getJobStatus({ path })
await report({ mark_completed: true })

const late = await reportJobProgress({ path, body: { processed_items: 3 } })
const job = await getJob({ path })
const listed = await listJobs({
  query: { status: ['failed', 'partial_success'], created_after: '2026-01-01' },
})
if (polled.error || job.error || listed.error) throw new Error('Not read')

console.log(
  JSON.stringify({
    polled: polled.data.status,
    job: job.data,
    listed: listed.data.jobs.map(({ job_id }) => job_id),
    failed: job.data.errors?.map(({ entity_key }) => entity_key),
    late: late.error && detailOf(late.error),
  }),
)

async function report(body: JobProgressRequest): Promise<void> {
  const { error } = await reportJobProgress({ path, body })
  if (error) throw new Error(`Not reported: ${detailOf(error)}`)
}

function detailOf({ detail }: ErrorResponse | HttpValidationError): string {
  return typeof detail === 'string' ? detail : (detail ?? []).map(({ msg }) => msg).join('; ')
}
