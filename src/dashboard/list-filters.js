import { element, setAttribute, setText } from './dom.js'
import { STATUS_NAMES, statusPicture, statusWord } from './status.js'

/** How long typing must pause before a text filter applies, in milliseconds. */
const TYPING_PAUSE = 350

/**
 * The filters of the list. The address holds them, which makes a filtered list shareable.
 *
 * @param {() => void} onChange
 */
export function createListFilters(onChange) {
  const statuses = STATUS_NAMES.map((status) => checkbox(status, statusWord(status)))
  const stalled = checkbox('stalled', 'Stalled')
  const types = element('datalist', { id: 'job-types' })
  const jobType = field('Type', {
    type: 'text',
    list: 'job-types',
    spellcheck: 'false',
    autocapitalize: 'none',
  })
  const triggeredBy = field('Triggered by', { type: 'text', spellcheck: 'false', autocapitalize: 'none' })
  const from = field('From', { type: 'date' })
  const to = field('Until', { type: 'date' })
  const clear = element('button', { type: 'button', class: 'button-quiet', click: clearAll }, 'Clear filters')
  const count = element('span', { class: 'quiet' })
  const node = element(
    'form',
    {
      class: 'filters',
      role: 'search',
      'aria-label': 'Filter jobs',
      submit: (e) => e.preventDefault(),
      input: changed,
    },
    element(
      'fieldset',
      { class: 'chips' },
      element('legend', { class: 'visually-hidden' }, 'Status'),
      ...[...statuses, stalled].map(({ node }) => node),
    ),
    element(
      'div',
      { class: 'fields' },
      ...[jobType, triggeredBy, from, to].map(({ node }) => node),
      types,
      clear,
    ),
  )
  const wide = matchMedia('(min-width: 48rem)')
  const folded = element(
    'details',
    { class: 'filters-fold' },
    element('summary', {}, 'Filters ', count),
    node,
  )
  const unfold = () => setAttribute(folded, 'open', wide.matches)
  wide.addEventListener('change', unfold)
  unfold()

  let timer = 0
  /** @param {Event} event */
  function changed(event) {
    clearTimeout(timer)
    const typing = event.target instanceof HTMLInputElement && event.target.type === 'text'
    timer = setTimeout(apply, typing ? TYPING_PAUSE : 0)
  }

  function apply() {
    clearTimeout(timer)
    showCount()
    onChange()
  }

  function clearAll() {
    show(new URLSearchParams())
    apply()
  }

  function showCount() {
    const names = new Set(read().keys())
    const chosen = names.size + Math.max(0, read().getAll('status').length - 1)
    setText(count, chosen === 0 ? '' : `(${chosen})`)
    setAttribute(clear, 'hidden', chosen === 0)
  }

  /** The filters in the form the address uses. */
  function read() {
    const filter = new URLSearchParams()
    for (const { input } of statuses) if (input.checked) filter.append('status', input.value)
    if (stalled.input.checked) filter.set('stalled', 'true')
    for (const [name, { input }] of /** @type {const} */ ([
      ['job_type', jobType],
      ['triggered_by', triggeredBy],
      ['from', from],
      ['until', to],
    ])) {
      if (input.value.trim() !== '') filter.set(name, input.value.trim())
    }
    return filter
  }

  /** @param {URLSearchParams} filter */
  function show(filter) {
    for (const { input } of statuses) input.checked = filter.getAll('status').includes(input.value)
    stalled.input.checked = filter.get('stalled') === 'true'
    jobType.input.value = filter.get('job_type') ?? ''
    triggeredBy.input.value = filter.get('triggered_by') ?? ''
    from.input.value = filter.get('from') ?? ''
    to.input.value = filter.get('until') ?? ''
    showCount()
  }

  /** Offers job types as they are seen, up to 50. @param {Iterable<string>} names */
  function suggestTypes(names) {
    const known = new Set([...types.options].map(({ value }) => value))
    for (const name of names) {
      if (known.has(name) || known.size >= 50) continue
      known.add(name)
      types.append(element('option', { value: name }))
    }
  }

  return { node: folded, read, show, clearAll, suggestTypes }
}

/** @param {string} value @param {string} word */
function checkbox(value, word) {
  const input = element('input', { type: 'checkbox', value })
  const label = element('label', { class: 'chip', 'data-status': value }, input, statusPicture(value), word)
  return { node: label, input }
}

/** @param {string} label @param {Record<string, string>} attributes */
function field(label, attributes) {
  const input = element('input', attributes)
  return { node: element('label', { class: 'field' }, element('span', {}, label), input), input }
}
