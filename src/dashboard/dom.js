const SVG = 'http://www.w3.org/2000/svg'

/** @typedef {string | number | boolean | null | undefined | ((event: Event) => void)} Attribute */

/**
 * Makes an element. Children that are strings become text, never markup, wherever they came from.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, Attribute>} [attributes] a function listens to the event of its name; true and false set and
 *   leave out; null and undefined leave out
 * @param {...(Node | string | null)} children null: none
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
 * A small picture that a word stands beside: screen readers pass it over.
 *
 * @param {string} name its class
 * @param {string[]} paths on a field of 16 by 16
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

/** Nothing is touched that is so already: a selection in it, and a screen reader on it, stay undisturbed.
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
 * Makes `nodes` the children of `parent`, in order. Those that stay are not moved, and so keep focus and scroll.
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
