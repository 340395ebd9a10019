import { arrange, element, setAttribute, setText } from './dom.js'

/** Shown elsewhere on the page. */
const ELSEWHERE = new Set(['stage', 'last_message'])

/** The job's metadata, as names and values. */
export function createMetadata() {
  const list = element('dl', { class: 'metadata' })
  const node = element(
    'section',
    { 'aria-labelledby': 'metadata-title', hidden: true },
    element('h2', { id: 'metadata-title' }, 'Metadata'),
    list,
  )
  /** @type {Map<string, { node: HTMLElement, value: HTMLElement }>} */
  const pairs = new Map()

  /** @param {Record<string, unknown> | null} metadata */
  function show(metadata) {
    const entries = Object.entries(metadata ?? {}).filter(([name]) => !ELSEWHERE.has(name))
    const shown = entries.map(([name, content]) => {
      const pair = pairs.get(name) ?? createPair(name)
      pairs.set(name, pair)
      setText(pair.value, typeof content === 'string' ? content : JSON.stringify(content, null, 2))
      setAttribute(pair.value, 'data-plain', typeof content === 'string' ? null : true)
      return pair.node
    })
    arrange(list, shown)
    setAttribute(node, 'hidden', shown.length === 0)
  }

  return { node, show }
}

/** @param {string} name */
function createPair(name) {
  const value = element('dd')
  return { node: element('div', {}, element('dt', {}, name), value), value }
}
