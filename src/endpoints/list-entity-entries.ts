import { z } from 'zod'
import { field, integer, type Reading } from '../http/body/fields.ts'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'
import { CREATED_JOB, REPORTED_ERROR } from '../http/reply/example-job.ts'
import { JobErrorResponse, nextCursor } from '../http/reply/job-schemas.ts'
import { invalid, refuse } from '../http/reply/refuse.ts'
import type { Problem } from '../http/reply/validation-error.ts'
import type { EntryKind } from '../jobs/job.ts'
import { ENTITY_PAGE, MAX_PAGE_BYTES } from '../jobs/limits.ts'
import { databaseOf } from '../store/databases.ts'
import { type EntityEntry, type EntityPlace, findEntityEntries } from '../store/find-entity-entries.ts'
import { openStore } from '../store/store.ts'

/** Kind, `seq`, job and time of the last entry of a page. */
const CURSOR = /^(error|warning)\.([0-9]{1,9})\.([A-Za-z0-9_-]{1,128})\.(.{1,64})$/

const PageQuery = z.object({
  limit: integer({ least: 1, most: ENTITY_PAGE.most })
    .prefault(ENTITY_PAGE.default)
    .describe('The most entries on a page; there are fewer if they are large'),
  cursor: field({ type: 'string' }, readCursor).optional().describe('The next_cursor of the previous page'),
})

const EntityEntryResponse = component(
  'EntityEntryResponse',
  z
    .strictObject({
      kind: z.string().describe('error or warning'),
      job_id: z.string().describe('The ID of the job that reported it'),
      job_type: z.string().describe('The type of that job'),
      ...JobErrorResponse.shape,
    })
    .describe('An error or warning, and the job that reported it'),
)

const EntityEntriesResponse = component(
  'EntityEntriesResponse',
  z
    .strictObject({
      entries: z.array(EntityEntryResponse).describe('Newest first; empty only if none is left'),
      next_cursor: nextCursor(),
    })
    .describe('A page of the errors and warnings about an entity'),
)

export const listEntityEntries = endpoint({
  id: 'list_entity_entries',
  method: 'get',
  path: '/api/entities/{entity_type}/{entity_key}',
  pathExample: { entity_type: REPORTED_ERROR.entity_type, entity_key: REPORTED_ERROR.entity_key },
  summary: 'List Entity Entries',
  description:
    'Lists the errors and warnings that any job of the organization has reported about one entity, newest first, in pages of at ' +
    'most 1 MB. Encode the type and the key for a URL, slashes included. Entries are here about a second after they were ' +
    'reported, and up to 30 seconds when thousands of jobs report.',
  permission: 'job:read',
  query: PageQuery,
  replies: {
    200: {
      description: 'A page of errors and warnings.',
      content: {
        'application/json': {
          schema: EntityEntriesResponse,
          example: {
            entries: [
              {
                kind: 'error',
                job_id: CREATED_JOB.job_id,
                job_type: CREATED_JOB.job_type,
                ...REPORTED_ERROR,
              },
            ],
            next_cursor: null,
          },
        },
      },
    },
  },
  async handle(c) {
    const { organizationId, placement } = c.var
    if (organizationId === null) return refuse(c, { ok: false, reason: 'organization_not_found' })
    const [entityType, entityKey] = new URL(c.req.url).pathname.split('/').slice(3).map(readPart)
    if (typeof entityType !== 'string') return refuse(c, malformed('entity_type', entityType?.part))
    if (typeof entityKey !== 'string') return refuse(c, malformed('entity_key', entityKey?.part))
    const { limit, cursor: after } = c.req.valid('query')
    const store = openStore(databaseOf(c.env, placement.database))
    const wanted = { entityType, entityKey, after, limit, bytes: MAX_PAGE_BYTES }
    const { entries, hasMore } = await findEntityEntries(store, organizationId, wanted)
    const last = hasMore ? entries.at(-1) : undefined
    const next = last && `${last.kind}.${last.seq}.${last.jobId}.${last.at}`
    const body = `{"entries":[${entries.map(toJson).join()}],"next_cursor":${JSON.stringify(next ?? null)}}`
    return c.body(body, 200, { 'Content-Type': 'application/json' })
  },
})

/** Not Hono's decoding: it passes a malformed part on as it is, as if it were a key. */
function readPart(part: string): string | { part: string } {
  try {
    return decodeURIComponent(part)
  } catch {
    return { part }
  }
}

function malformed(name: string, input: unknown) {
  const problem: Problem = {
    type: 'string_unicode',
    loc: ['path', name],
    msg: 'Input should be a valid string, unable to parse raw data as a unicode string',
    input,
  }
  return invalid([problem])
}

/** The entry's own text goes on after the fields of its job. */
function toJson({ kind, jobId, jobType, text }: EntityEntry): string {
  const job = JSON.stringify({ kind, job_id: jobId, job_type: jobType })
  return `${job.slice(0, -1)},${text.slice(1)}`
}

function readCursor(value: unknown): Reading<EntityPlace> {
  const [, kind, seq, jobId, at] = (typeof value === 'string' && CURSOR.exec(value)) || []
  if (kind !== undefined && jobId !== undefined && at !== undefined)
    return { value: { kind: kind as EntryKind, seq: Number(seq), jobId, at } }
  return { fault: { type: 'string_pattern_mismatch', msg: 'String should be the next_cursor of a page' } }
}
