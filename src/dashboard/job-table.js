import { element } from './dom.js'

/** Repeats the ARIA roles: narrow pages lay the rows out as cards, and browsers then drop the table semantics.
 * @param {HTMLTableSectionElement} body */
export function createJobTable(body) {
  const heads = ['Job', 'Status', 'Progress', 'Items', 'Started', 'Duration'].map((name) =>
    element('th', { scope: 'col', role: 'columnheader', class: `head-${name.toLowerCase()}` }, name),
  )
  return element(
    'table',
    { role: 'table', 'aria-label': 'Jobs, newest first' },
    element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...heads)),
    body,
  )
}
