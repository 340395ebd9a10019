import createClient from 'openapi-fetch'
import type { components, paths } from './generated/schema.ts'

/** Runs a job through the client of openapi-typescript and openapi-fetch. Prints what it read, as JSON. */

type Report = components['schemas']['JobProgressRequest']

const [baseUrl = '', key = ''] = process.argv.slice(2)
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } })

const created = await client.POST('/api/jobs/', {
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
const polled = await client.GET('/api/jobs/{job_id}/status', { params: { path } })
await report({ mark_completed: true })

const late = await send({ processed_items: 3 })
const job = await client.GET('/api/jobs/{job_id}', { params: { path } })
const listed = await client.GET('/api/jobs/', {
  params: { query: { status: ['failed', 'partial_success'], created_after: '2026-01-01' } },
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

function send(body: Report) {
  return client.POST('/api/jobs/{job_id}/progress', { params: { path }, body })
}

async function report(body: Report): Promise<void> {
  const { error } = await send(body)
  if (error) throw new Error(`Not reported: ${detailOf(error)}`)
}

function detailOf({
  detail,
}: components['schemas']['ErrorResponse'] | components['schemas']['HTTPValidationError']): string {
  return typeof detail === 'string' ? detail : (detail ?? []).map(({ msg }) => msg).join('; ')
}
