const SVG = 'http://www.w3.org/2000/svg'

/** @typedef {string | number | boolean | null | undefined | ((event: Event) => void)} Attribute */

/**
 * Creates an element. String children always become text, never markup.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, Attribute>} [attributes] a function becomes an event listener; true sets an empty attribute; false,
 *   null and undefined set none
 * @param {...(Node | string | null)} children null is skipped
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name, value)
    else setAttribute(made, name, value)
  }
  for (const child of children) if (child !== null) made.append(child)
  return made
}

/**
 * A small picture next to a word. Screen readers skip it.
 *
 * @param {string} name its class
 * @param {string[]} paths in a 16 by 16 view box
 */
export function picture(name, paths) {
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('viewBox', '0 0 16 16')
  svg.setAttribute('class', name)
  svg.setAttribute('aria-hidden', 'true')
  for (const d of paths) {
    const path = document.createElementNS(SVG, 'path')
    path.setAttribute('d', d)
    svg.append(path)
  }
  return svg
}

/** Leaves equal text alone: rewriting it would drop a selection and make screen readers repeat it.
 * @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

/** @param {Element} node @param {string} name @param {string | number | boolean | null | undefined} value */
export function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name)
  else if (node.getAttribute(name) !== String(value))
    node.setAttribute(name, value === true ? '' : String(value))
}

/**
 * Makes `nodes` the children of `parent`, in order. Nodes already in place are not moved, which keeps their focus and scroll.
 *
 * @param {Element} parent
 * @param {Element[]} nodes
 */
export function arrange(parent, nodes) {
  const wanted = new Set(nodes)
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove()
  let next = parent.firstElementChild
  for (const node of nodes) {
    if (node === next) next = next.nextElementSibling
    else parent.insertBefore(node, next)
  }
}
