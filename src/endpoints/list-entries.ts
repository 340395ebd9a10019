import { accepts } from 'hono/accepts'
import { z } from 'zod'
import { field, integer, type Reading, text } from '../http/body/fields.ts'
import { callJob } from '../http/call-job.ts'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'
import { EntriesCsv } from '../http/reply/entries-csv.ts'
import { REPORTED_ERROR, REPORTED_WARNING } from '../http/reply/example-job.ts'
import { JobErrorResponse, nextCursor } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'
import type { EntriesReply, JobRefusal } from '../job-object/replies.ts'
import type { EntryKind } from '../jobs/job.ts'
import { ENTRY_PAGE, MAX_LINE } from '../jobs/limits.ts'

const JSON_TYPE = 'application/json'
const NDJSON = 'application/x-ndjson'
const CSV = 'text/csv'
const CURSOR = /^[0-9]{1,9}$/

const PageQuery = z.object({
  limit: integer({ least: 1, most: ENTRY_PAGE.most })
    .prefault(ENTRY_PAGE.default)
    .describe('The most entries on a page'),
  cursor: field({ type: 'string', pattern: CURSOR.source }, readCursor)
    .prefault('0')
    .describe('The next_cursor of the previous page'),
  error_type: text(MAX_LINE)
    .optional()
    .describe('Only entries of this type. A page may then have fewer entries than its limit, or none'),
})

const entries = () => z.array(JobErrorResponse).describe('Oldest first')

const JobErrorsResponse = component(
  'JobErrorsResponse',
  z.strictObject({ errors: entries(), next_cursor: nextCursor() }).describe('A page of the errors of a job'),
)

const JobWarningsResponse = component(
  'JobWarningsResponse',
  z
    .strictObject({ warnings: entries(), next_cursor: nextCursor() })
    .describe('A page of the warnings of a job'),
)

const EntriesCsvText = z
  .string()
  .describe('A row an entry, oldest first, below a header; by RFC 4180, in UTF-8 with a byte order mark')

export const listErrors = listEntries('error', 'errors', 'Errors', JobErrorsResponse, REPORTED_ERROR)
export const listWarnings = listEntries(
  'warning',
  'warnings',
  'Warnings',
  JobWarningsResponse,
  REPORTED_WARNING,
)

function listEntries(
  kind: EntryKind,
  name: 'errors' | 'warnings',
  title: string,
  page: z.ZodType,
  example: z.input<typeof JobErrorResponse>,
) {
  return endpoint({
    id: `list_job_${name}`,
    method: 'get',
    path: `/api/jobs/{job_id}/${name}`,
    summary: `List Job ${title}`,
    description:
      `Lists all ${name} that the job keeps, oldest first, in pages: pass the \`next_cursor\` of one as the \`cursor\` of the ` +
      'next. `Accept: application/x-ndjson` returns all of them in one stream, one per line, and `Accept: text/csv` as a file for ' +
      'spreadsheets, one per row; if a stream breaks off, it is incomplete. The `limit` does not apply to streams.',
    permission: 'job:read',
    query: PageQuery,
    queryExample: { limit: '100', error_type: example.error_type },
    replies: {
      200: {
        description: `A page of ${name}, or all of them as NDJSON or CSV.`,
        content: {
          [JSON_TYPE]: { schema: page, example: { [name]: [example], next_cursor: null } },
          [NDJSON]: { schema: JobErrorResponse, example },
          [CSV]: { schema: EntriesCsvText, example: csvOf(example) },
        },
      },
    },
    async handle(c) {
      const { limit, cursor, error_type: errorType = null } = c.req.valid('query')
      const supports = [JSON_TYPE, ...Object.keys(FORMATS)]
      const format = FORMATS[accepts(c, { header: 'Accept', supports, default: JSON_TYPE })]
      const pageAfter = (after: number) => {
        const page = { kind, after, limit: format ? ENTRY_PAGE.most : limit, errorType }
        return callJob(c, (object, address) => object.entries(address, page))
      }
      const reply = await pageAfter(cursor)
      if (!reply.ok) return refuse(c, reply)
      if (format !== undefined) {
        // An id of a job is letters, digits, - and _: it needs no escaping.
        const fileName = `${c.req.param('job_id')}-${name}.${format.extension}`
        return c.body(streamPages(reply, pageAfter, format.writer()), 200, {
          'Content-Type': format.contentType,
          'Content-Disposition': `attachment; filename="${fileName}"`,
        })
      }
      const next = reply.next === null ? 'null' : `"${reply.next}"`
      const body = `{"${name}":[${reply.texts.join()}],"next_cursor":${next}}`
      return c.body(body, 200, { 'Content-Type': JSON_TYPE })
    },
  })
}

/** Writes pages of entries, each as published JSON, one after the other. */
interface PageWriter {
  page(texts: string[]): string
  /** Called after the last page. */
  end(): string
}

interface StreamFormat {
  contentType: string
  extension: string
  writer(): PageWriter
}

/** What a list can be streamed as, by media type. */
const FORMATS: Record<string, StreamFormat> = {
  [NDJSON]: {
    contentType: NDJSON,
    extension: 'ndjson',
    writer: () => ({ page: (texts) => `${texts.join('\n')}\n`, end: () => '' }),
  },
  [CSV]: { contentType: `${CSV}; charset=utf-8`, extension: 'csv', writer: () => new EntriesCsv() },
}

function csvOf(entry: object): string {
  return new EntriesCsv().page([JSON.stringify(entry)])
}

/** Holds one page in memory: the next one is read only when the reader has taken it. */
function streamPages(
  first: EntriesReply,
  pageAfter: (place: number) => Promise<EntriesReply | JobRefusal>,
  writer: PageWriter,
): ReadableStream {
  const encoder = new TextEncoder()
  let page = first
  return new ReadableStream({
    async pull(stream) {
      for (let isEmpty = true; isEmpty; ) {
        // The whole page in one chunk: each chunk costs a turn of the event loop.
        if (page.texts.length > 0) stream.enqueue(encoder.encode(writer.page(page.texts)))
        if (page.next === null) {
          const rest = writer.end()
          if (rest !== '') stream.enqueue(encoder.encode(rest))
          return stream.close()
        }
        // A page of one error type may be empty, and a pull that enqueues nothing is not repeated.
        isEmpty = page.texts.length === 0
        const reply = await pageAfter(page.next)
        // The status has been sent: breaking off is the only way to show that the stream is incomplete.
        if (!reply.ok)
          return stream.error(new Error(`The next page of entries could not be read: ${reply.reason}`))
        page = reply
      }
    },
  })
}

function readCursor(value: unknown): Reading<number> {
  if (typeof value === 'string' && CURSOR.test(value)) return { value: Number(value) }
  return { fault: { type: 'string_pattern_mismatch', msg: 'String should be the next_cursor of a page' } }
}
