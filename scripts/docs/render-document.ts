import { dirname, normalize } from 'node:path/posix'
import GithubSlugger from 'github-slugger'
import { Marked } from 'marked'
import type { Document } from './find-documents.ts'

/**
 * A document as HTML. Its headings get the IDs that GitHub gives them, and its links to other documents lead to their
 * pages. A link to a file without a page becomes plain text.
 */
export function renderDocument(document: Document, all: readonly Document[]): string {
  const slugger = new GithubSlugger()
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth }) {
        const html = this.parser.parseInline(tokens)
        const id = slugger.slug(html.replace(/<[^>]+>/g, '').replace(/&[#\w]+;/g, ''))
        return `<h${depth} id="${id}"><a href="#${id}">${html}</a></h${depth}>\n`
      },
      link({ href, raw, tokens }) {
        const isName = /^[\w./-]+\.md$/.test(raw.slice(1, raw.indexOf(']')))
        // Where the text names a file, readers of pages get the title of its page.
        const title = isName ? targetOf(document, href, all)?.title : undefined
        const text = title === undefined ? this.parser.parseInline(tokens) : escapeHtml(title)
        const target = resolveLink(document, href, all)
        return target === undefined ? text : `<a href="${escapeHtml(target)}">${text}</a>`
      },
    },
  })
  // On a narrow screen, a table scrolls and the page does not.
  const wrapped = marked.parse(document.markdown, { async: false })
  return wrapped.replaceAll('<table>', '<div class="table"><table>').replaceAll('</table>', '</table></div>')
}

/** A document's Markdown as it is served: links to other documents lead to theirs, and those to other files become text. */
export function linkMarkdown(document: Document, all: readonly Document[]): string {
  return document.markdown.replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, (link, text: string, href: string) => {
    if (isElsewhere(href)) return link
    const other = targetOf(document, href, all)
    return other === undefined ? text : `[${text}](${other.path}.md${fragmentOf(href)})`
  })
}

/** Where a link in a document leads; undefined if to a file that has no page. */
function resolveLink(document: Document, href: string, all: readonly Document[]): string | undefined {
  if (isElsewhere(href)) return href
  const other = targetOf(document, href, all)
  return other && `${other.path}${fragmentOf(href)}`
}

function targetOf(document: Document, href: string, all: readonly Document[]): Document | undefined {
  if (isElsewhere(href)) return undefined
  const [path = ''] = href.split('#')
  const file = normalize(`${dirname(document.file)}/${path}`).replace(/\/$/, '')
  return all.find((other) => other.file === file || other.file === `${file}/README.md`)
}

/** A link to another site, or within the same page. */
function isElsewhere(href: string): boolean {
  return /^([a-z]+:|#)/.test(href)
}

function fragmentOf(href: string): string {
  return href.includes('#') ? href.slice(href.indexOf('#')) : ''
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
