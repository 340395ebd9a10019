import { call } from './api.js'
import { arrange, element, setAttribute, setText } from './dom.js'
import { createEntryList } from './entry-list.js'
import { formatCount, formatNumber } from './format.js'
import { pauseAfter } from './poll.js'

/** @import { EntryGroup, EntryKind, Job, Outcome } from './wire.js' */

/** Milliseconds between two reads of the counts while entries arrive. */
const PAUSE = 2_000

/**
 * The errors or warnings of a job, grouped by error type, most frequent first. Each group opens to show its entries.
 *
 * @param {EntryKind} kind
 * @param {string} jobId
 * @param {(outcome: Outcome<unknown>) => void} report receives the outcome of each call
 */
export function createEntryGroups(kind, jobId, report) {
  const path = `/api/jobs/${encodeURIComponent(jobId)}`
  const total = element('span', { class: 'count' })
  const list = element('div', { class: 'groups' })
  const lost = element('p', { class: 'hint' })
  const node = element(
    'section',
    { 'aria-labelledby': `${kind}-title`, hidden: true, class: `entries-${kind}` },
    element('h2', { id: `${kind}-title` }, kind === 'errors' ? 'Errors ' : 'Warnings ', total),
    list,
    lost,
  )
  /** @type {Map<string, ReturnType<typeof createGroup>>} */
  const groups = new Map()
  /** The number of entries now, and at the last read of the groups. */
  let expected = 0
  let asked = 0
  /** True during a read and the pause after it. */
  let busy = false
  let failures = 0
  let timer = 0
  let stopped = false

  /** @param {number} count entries of this kind so far @param {Job} job */
  function show(count, job) {
    setAttribute(node, 'hidden', count === 0)
    setText(total, formatNumber(count))
    setText(lost, job.entries_not_kept > 0 ? describeLost(job.entries_not_kept) : '')
    expected = count
    if (!busy && count !== asked) load()
  }

  /** More entries may have arrived during the last read or the pause. */
  function again() {
    busy = false
    if (expected !== asked) load()
  }

  async function load() {
    asked = expected
    busy = true
    /** @type {Outcome<Record<EntryKind, EntryGroup[]>>} */
    const outcome = await call(`${path}/entry-groups`)
    if (stopped) return
    report(outcome)
    failures = outcome.ok ? 0 : failures + 1
    clearTimeout(timer)
    if (outcome.ok) {
      showGroups(outcome.body[kind])
      timer = setTimeout(again, PAUSE)
    } else timer = setTimeout(load, pauseAfter(outcome, failures) * 1_000)
  }

  /** @param {EntryGroup[]} counts */
  function showGroups(counts) {
    const nodes = counts.map(({ error_type, count }) => {
      const group = groups.get(error_type) ?? createGroup(error_type)
      groups.set(error_type, group)
      group.show(count)
      return group.node
    })
    arrange(list, nodes)
  }

  /** @param {string} type */
  function createGroup(type) {
    const number = element('span', { class: 'count' })
    const entries = createEntryList(
      `${path}/${kind}?error_type=${encodeURIComponent(type)}`,
      kind,
      // After the user leaves the page, its failures must not show on the next one.
      (outcome) => stopped || report(outcome),
    )
    const details = element(
      'details',
      { class: 'group', toggle: () => details.open && entries.open() },
      element('summary', {}, element('span', { class: 'group-name' }, type), number),
      entries.node,
    )
    return {
      node: details,
      /** @param {number} count */
      show(count) {
        setText(number, formatNumber(count))
        entries.expect(count)
      },
    }
  }

  function stop() {
    stopped = true
    clearTimeout(timer)
  }

  return { node, show, stop }
}

/** @param {number} count */
function describeLost(count) {
  return `${formatCount(count, 'more entry', 'more entries')} ${count === 1 ? 'was' : 'were'} counted but not kept.`
}
