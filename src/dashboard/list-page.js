import { call } from './api.js'
import { arrange, element, setAttribute, setText } from './dom.js'
import { createEmptyList } from './empty-list.js'
import { formatCount } from './format.js'
import { createJobRow } from './job-row.js'
import { createJobTable } from './job-table.js'
import { createListFilters } from './list-filters.js'
import { queryOf } from './list-query.js'
import { poll } from './poll.js'
import { addressOfList } from './route.js'

/** @import { Job, Outcome } from './wire.js' */

/** Seconds between two polls. */
const POLL_SECONDS = 3
const FIRST_ROWS = 50
/** The API's maximum per reply. */
const MOST_ROWS = 200

/**
 * The list of jobs. It updates itself while it is shown.
 *
 * @param {(outcome: Outcome<unknown>) => void} report receives the outcome of each poll
 */
export function createListPage(report) {
  /** @type {Map<string, ReturnType<typeof createJobRow>>} */
  let rows = new Map()
  let wanted = FIRST_ROWS
  let filter = new URLSearchParams()
  /** @type {ReturnType<typeof poll> | undefined} */
  let polling
  let ticking = 0

  const filters = createListFilters(() => {
    setFilter(filters.read())
    toSay = true
    history.replaceState(null, '', addressOfList(filter))
    polling?.now()
  })
  const title = element('h1', { tabindex: -1 }, 'Jobs')
  const summary = element('p', { class: 'quiet' })
  // Announced once after each change of the filters, not on every poll.
  const spoken = element('p', { class: 'visually-hidden', role: 'status' })
  let toSay = false
  const body = element('tbody', { role: 'rowgroup' })
  const table = createJobTable(body)
  const more = element(
    'button',
    { type: 'button', class: 'button', hidden: true, click: showMore },
    'Show older jobs',
  )
  const empty = createEmptyList(filters.clearAll)
  const content = element('div', { class: 'list', 'aria-busy': 'true' })
  const node = element(
    'section',
    {},
    element('div', { class: 'page-head' }, title, summary, spoken),
    filters.node,
    content,
  )

  /** @param {AbortSignal} signal @returns {Promise<Outcome<unknown>>} */
  async function refresh(signal) {
    const asked = filter
    /** @type {Job[]} */
    const jobs = []
    let cursor = ''
    do {
      const query = queryOf(asked)
      query.set('metadata', 'false')
      query.set('limit', String(Math.min(MOST_ROWS, wanted - jobs.length)))
      if (cursor !== '') query.set('cursor', cursor)
      /** @type {Outcome<{ jobs: Job[], next_cursor: string | null }>} */
      const outcome = await call(`/api/jobs/?${query}`, { signal })
      if (!outcome.ok) {
        report(outcome)
        return outcome
      }
      jobs.push(...outcome.body.jobs)
      cursor = outcome.body.next_cursor ?? ''
    } while (cursor !== '' && jobs.length < wanted)
    show(jobs, cursor !== '')
    report({ ok: true, body: null })
    return { ok: true, body: null }
  }

  /** @param {Job[]} jobs @param {boolean} hasMore */
  function show(jobs, hasMore) {
    const focused = [...rows.values()].findIndex(({ link }) => link === document.activeElement)
    const shown = new Map(jobs.map(({ job_id }) => [job_id, rows.get(job_id) ?? createJobRow(job_id)]))
    rows = shown
    for (const job of jobs) shown.get(job.job_id)?.show(job)
    arrange(
      body,
      [...shown.values()].map(({ node }) => node),
    )
    filters.suggestTypes(jobs.map(({ job_type }) => job_type))
    setAttribute(more, 'hidden', !hasMore)
    arrange(content, jobs.length > 0 ? [table, more] : [filter.size > 0 ? empty.noMatch : empty.none])
    setAttribute(content, 'aria-busy', null)
    setAttribute(filters.node, 'hidden', jobs.length === 0 && filter.size === 0)
    setText(summary, summarize(jobs, hasMore))
    if (toSay) setText(spoken, jobs.length === 0 ? 'No matching jobs' : summarize(jobs, hasMore))
    toSay = false
    // The focused job left the list: focus the job that took its place.
    if (focused >= 0 && document.activeElement === document.body) {
      const next = [...shown.values()][Math.min(focused, shown.size - 1)]
      ;(next?.link ?? title).focus()
    }
  }

  /** @param {URLSearchParams} next */
  function setFilter(next) {
    if (next.toString() === filter.toString()) return
    filter = next
    wanted = FIRST_ROWS
    setAttribute(content, 'aria-busy', 'true')
  }

  function showMore() {
    wanted = rows.size + MOST_ROWS
    polling?.now()
  }

  return {
    node,
    title,
    /** @param {URLSearchParams} next */
    start(next) {
      filters.show(next)
      setFilter(filters.read())
      polling = poll(refresh, POLL_SECONDS)
      ticking = setInterval(() => {
        for (const row of rows.values()) row.tick()
      }, 1_000)
    },
    stop() {
      polling?.stop()
      clearInterval(ticking)
    },
    address: () => addressOfList(filter),
    /** @param {string} jobId */
    focusJob: (jobId) => (rows.get(jobId)?.link ?? title).focus({ preventScroll: true }),
  }
}

/** @param {Job[]} jobs @param {boolean} hasMore */
function summarize(jobs, hasMore) {
  if (jobs.length === 0) return ''
  return hasMore ? `The newest ${jobs.length}` : formatCount(jobs.length, 'job')
}
