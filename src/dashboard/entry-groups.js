import { call } from './api.js'
import { arrange, element, setAttribute, setText } from './dom.js'
import { createEntryList } from './entry-list.js'
import { formatCount, formatNumber } from './format.js'
import { pauseAfter } from './poll.js'

/** @import { EntryGroup, EntryKind, Job, Outcome } from './wire.js' */

/** Milliseconds between two looks at the counts while entries come in. */
const PAUSE = 2_000

/**
 * The errors or the warnings of a job by what went wrong, the most frequent first; each opens to its entries.
 *
 * @param {EntryKind} kind
 * @param {string} jobId
 * @param {(outcome: Outcome<unknown>) => void} report told how each call went
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
  /** How many entries there are, and how many there were when last asked about. */
  let expected = 0
  let asked = 0
  /** Between asking and the pause after the answer. */
  let busy = false
  let failures = 0
  let timer = 0
  let stopped = false

  /** @param {number} count entries of this kind by now @param {Job} job */
  function show(count, job) {
    setAttribute(node, 'hidden', count === 0)
    setText(total, formatNumber(count))
    setText(lost, job.entries_not_kept > 0 ? describeLost(job.entries_not_kept) : '')
    expected = count
    if (!busy && count !== asked) load()
  }

  /** More may have come while the last answer was under way or fresh. */
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
      // Of a page that was left, nothing is said on the next.
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
  return `${formatCount(count, 'entry', 'entries')} beyond what a job keeps ${count === 1 ? 'was' : 'were'} counted only.`
}
