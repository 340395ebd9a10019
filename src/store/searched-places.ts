import { and, eq, gte, inArray, isNotNull, lt, type SQL, sql } from 'drizzle-orm'
import type { JobFilter } from '../jobs/job-filter.ts'
import { MAX_SEARCHED_TERMS } from '../jobs/limits.ts'
import { indexedPlaces } from './indexed-places.ts'
import { labelTerm, rangeFrom, termsFrom } from './job-terms.ts'
import { boundsOf, type From, inOrder } from './place-order.ts'
import { jobs, jobTerms } from './schema.ts'

/** Jobs of a label that are counted to tell which of several is the rarest: that one is looked up. */
const MAX_WEIGHED = 500

/** The columns of a subquery that has places. */
const PLACE = { createdAt: sql`created_at`, jobId: sql`job_id` }

const NOWHERE = sql`select 0 as created_at, '' as job_id limit 0`

/** SELECTs for places (`created_at`, `job_id`). Each reads a bounded number of rows, however many jobs there are. */
interface SearchedPlaces {
  /** What an index finds by the search or a label: in order, at most `searched`. */
  candidates: SQL
  /** Those of them that match the rest of the filter: in order, at most `limit`. */
  places: SQL
  /** Whether every candidate matches. */
  isExact: boolean
}

/**
 * The places of the jobs that match a filter that no single index serves. For a count, in any order: sorting all of them
 * would take long.
 */
export function searchedPlaces(
  organizationId: string,
  filter: JobFilter,
  from: From,
  { limit, searched, isCount = false }: { limit: number; searched: number; isCount?: boolean },
): SearchedPlaces {
  const { search, labels = [] } = filter
  const terms = labels.map(([name, value]) => labelTerm(name, value))
  const isExact = restOf(filter) === undefined && terms.length <= (search === undefined ? 1 : 0)
  const most = isExact ? Math.min(limit, searched) : searched
  const candidates = findCandidates(organizationId, filter, from, { terms, most, isCount })
  if (isExact) return { candidates, places: candidates, isExact }
  // The only label is what the candidates are found by.
  const unmet = search === undefined && terms.length === 1 ? [] : terms
  const hasAll = unmet.map(
    (term) =>
      sql`exists (select 1 from ${jobTerms} where ${and(
        eq(jobTerms.organizationId, organizationId),
        eq(jobTerms.term, term),
        sql`${jobTerms.createdAt} = candidate.created_at and ${jobTerms.jobId} = candidate.job_id`,
      )})`,
  )
  const rest = restOf(filter)
  // SQLite never reorders a cross join: it goes from the candidates to the jobs.
  const joined =
    rest &&
    sql`cross join ${jobs} on ${jobs.organizationId} = ${organizationId} and ${jobs.jobId} = candidate.job_id`
  const places = sql`select candidate.created_at, candidate.job_id from (${candidates}) candidate ${joined}
    where ${and(...hasAll, rest)} limit ${limit}`
  return { candidates, places, isExact }
}

/** What finds the fewest jobs: the search, the rarest label, or that they are late. */
function findCandidates(
  organizationId: string,
  filter: JobFilter,
  from: From,
  { terms, most, isCount }: { terms: string[]; most: number; isCount: boolean },
): SQL {
  if (filter.search !== undefined)
    return foundPlaces(organizationId, filter.search, filter, from, most, isCount)
  if (terms.length > 0) return placesOfTerm(organizationId, rarest(organizationId, terms), filter, from, most)
  const { jobType: _type, triggeredBy: _trigger, stalled: _stalled, ...late } = filter
  return indexedPlaces(organizationId, late, from, most) ?? NOWHERE
}

/** Whether more than `MAX_SEARCHED_TERMS` terms or ids begin with the text: 1 or 0. */
export function exceedsSearch(organizationId: string, search: string): SQL<number> {
  const terms = sql`select 1 from (${termsFound(organizationId, search, MAX_SEARCHED_TERMS + 1)}) where term is not null`
  const ids = sql`select 1 from ${jobs} where ${hasId(organizationId, search)} limit ${MAX_SEARCHED_TERMS + 1}`
  return sql<number>`max((select count(*) from (${terms})), (select count(*) from (${ids}))) > ${MAX_SEARCHED_TERMS}`
}

/** The conditions that neither a term nor its place meets. */
function restOf({ statuses, jobType, triggeredBy, stalled, late }: JobFilter): SQL | undefined {
  return and(
    statuses.length > 0 ? inArray(jobs.status, statuses) : undefined,
    jobType === undefined ? undefined : eq(jobs.jobType, jobType),
    triggeredBy === undefined ? undefined : eq(jobs.triggeredBy, triggeredBy),
    stalled ? isNotNull(jobs.stalledAt) : undefined,
    late ? isNotNull(jobs.lateAt) : undefined,
  )
}

/** The term that the fewest jobs have, as far as they are counted. */
function rarest(organizationId: string, terms: string[]): SQL {
  const [only] = terms
  if (terms.length === 1) return sql`${only}`
  const jobsOf = sql`select count(*) from (select 1 from ${jobTerms}
    where ${jobTerms.organizationId} = ${organizationId} and ${jobTerms.term} = wanted.value limit ${MAX_WEIGHED})`
  return sql`(select value from json_each(${JSON.stringify(terms)}) wanted order by (${jobsOf}), value limit 1)`
}

function placesOfTerm(organizationId: string, term: SQL, filter: JobFilter, from: From, most: number): SQL {
  const conditions = [
    eq(jobTerms.organizationId, organizationId),
    sql`${jobTerms.term} = ${term}`,
    ...boundsOf(jobTerms, filter, from),
  ]
  return sql`select ${jobTerms.createdAt}, ${jobTerms.jobId} from ${jobTerms} where ${and(...conditions)}
    order by ${inOrder(from)} limit ${most}`
}

/** The places of jobs with a term, or an id, that begins with the text. */
function foundPlaces(
  organizationId: string,
  search: string,
  filter: JobFilter,
  from: From,
  most: number,
  isCount: boolean,
): SQL {
  // One lookup for each term: `json_each` is how SQLite runs a query with a limit for each row of another.
  const ofTerm = placesOfTerm(organizationId, sql`found.term`, filter, from, most)
  const byTerm = sql`select place.value ->> 0 as created_at, place.value ->> 1 as job_id
    from (${termsFound(organizationId, search, MAX_SEARCHED_TERMS)}) found
    cross join json_each((select json_group_array(json_array(created_at, job_id)) from (${ofTerm}))) place
    where found.term is not null`
  const ids = sql`select ${jobs.createdAt}, ${jobs.jobId} from ${jobs} where ${hasId(organizationId, search)}
    order by ${jobs.jobId} desc limit ${MAX_SEARCHED_TERMS}`
  const byId = sql`select created_at, job_id from (${ids}) where ${and(sql`true`, ...boundsOf(PLACE, filter, from))}`
  // Without an order, SQLite stops at the limit.
  if (isCount) return sql`select distinct * from (${byTerm} union all select * from (${byId}) limit ${most})`
  return sql`select * from (${byTerm} union ${byId}) order by ${inOrder(from)} limit ${most}`
}

/**
 * The last terms that begin with the text, at most so many, each found by one search of the index; the last row may be
 * null. The last, because the ids made here sort by time.
 */
function termsFound(organizationId: string, search: string, most: number): SQL {
  const { first, end } = termsFrom(search)
  const lastBefore = (bound: SQL) =>
    sql`select ${jobTerms.term} from ${jobTerms} where ${and(
      eq(jobTerms.organizationId, organizationId),
      gte(jobTerms.term, first),
      sql`${jobTerms.term} < ${bound}`,
    )} order by ${jobTerms.term} desc limit 1`
  return sql`with recursive last (term) as (
    select (${lastBefore(sql`${end}`)}) union all select (${lastBefore(sql`last.term`)}) from last where last.term is not null
    limit ${most}) select term from last`
}

function hasId(organizationId: string, search: string): SQL | undefined {
  const { first, end } = rangeFrom(search)
  return and(eq(jobs.organizationId, organizationId), gte(jobs.jobId, first), lt(jobs.jobId, end))
}
