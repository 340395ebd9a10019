import { call } from './api.js'
import { element, setAttribute, setText } from './dom.js'
import { formatNumber, formatTimeWithSeconds, formatWholeTime } from './format.js'

/** @import { Entry, EntryKind, Outcome } from './wire.js' */

const PAGE = 20

/**
 * The entries of one group, oldest first, one page at a time.
 *
 * @param {string} path including a query
 * @param {EntryKind} kind
 * @param {(outcome: Outcome<unknown>) => void} report receives the outcome of each call
 */
export function createEntryList(path, kind, report) {
  const list = element('ol', { class: 'entries' })
  const more = element('button', {
    type: 'button',
    class: 'button-quiet',
    hidden: true,
    click: () => load(true),
  })
  const node = element('div', {}, list, more)
  let expected = 0
  let busy = false
  /** The start of the last page and how much of it is shown. A page that was not full is read again for new entries. */
  let cursor = ''
  let shownOfPage = 0

  /** @param {boolean} [moveFocus] to the first new entry */
  async function load(moveFocus = false) {
    if (busy) return
    busy = true
    setText(more, 'Loading…')
    /** @type {HTMLElement[]} */
    let items = []
    let goOn = true
    // If a type is rare, a page may hold none of its entries and still not be the last.
    while (goOn && items.length === 0) {
      const from = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
      /** @type {Outcome<Record<EntryKind, Entry[]> & { next_cursor: string | null }>} */
      const outcome = await call(`${path}&limit=${PAGE}${from}`)
      report(outcome)
      if (!outcome.ok) break
      const { [kind]: entries, next_cursor } = outcome.body
      items = entries.slice(shownOfPage).map(createEntry)
      shownOfPage = next_cursor === null ? entries.length : 0
      cursor = next_cursor ?? cursor
      goOn = next_cursor !== null
    }
    busy = false
    list.append(...items)
    if (moveFocus) items[0]?.focus()
    showMore()
  }

  function showMore() {
    const left = expected - list.children.length
    setAttribute(more, 'hidden', left <= 0 || (list.children.length === 0 && busy))
    setText(more, `Show ${formatNumber(Math.min(PAGE, left))} more of ${formatNumber(left)}`)
  }

  return {
    node,
    /** @param {number} count the number of entries so far */
    expect(count) {
      expected = count
      if (!busy) showMore()
    },
    /** Reads the first page, once. */
    open() {
      if (list.children.length === 0) load()
    },
  }
}

/** @param {Entry} entry */
function createEntry(entry) {
  const time = new Date(entry.timestamp)
  const where = entry.entity_type === 'job' ? 'job' : `${entry.entity_type} ${entry.entity_key}`
  return element(
    'li',
    { class: 'entry', tabindex: -1 },
    element(
      'p',
      { class: 'entry-head' },
      element('span', { class: 'entity' }, where),
      entry.step === null ? null : element('span', {}, entry.step),
      element(
        'time',
        { datetime: entry.timestamp, title: formatWholeTime(time) },
        formatTimeWithSeconds(time),
      ),
    ),
    element('p', { class: 'entry-message' }, entry.message),
    entry.details === null || Object.keys(entry.details).length === 0
      ? null
      : element(
          'details',
          { class: 'entry-details' },
          element('summary', {}, 'Details'),
          element('pre', { tabindex: 0 }, JSON.stringify(entry.details, null, 2)),
        ),
  )
}
