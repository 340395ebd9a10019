import type { Document } from './find-documents.ts'
import { escapeHtml } from './render-document.ts'

/** The URLs of the files that pages load. */
export interface PageFiles {
  icon: string
  /** The style of a document. */
  documentCss: string
  /** The style around the reference. */
  referenceCss: string
  /** In the order in which the reference loads them. */
  referenceScripts: string[]
}

/** The page of a document. It has no script. */
export function documentPage(
  document: Document,
  body: string,
  all: readonly Document[],
  files: PageFiles,
): string {
  const sections = [...new Set(all.map(({ section }) => section))].map((section) => {
    const links = all
      .filter((other) => other.section === section)
      .map((other) => `<li>${link(other.path, other.title, other === document)}</li>`)
    return `<h2>${section}</h2>\n<ul>\n${links.join('\n')}\n</ul>`
  })
  return shell({
    title: `${document.title} · Milepost`,
    head: `<link rel="stylesheet" href="${files.documentCss}">`,
    files,
    current: 'Guides',
    body: `<div class="columns">
<main id="main" class="prose">
${body}</main>
<nav id="pages" class="pages" aria-label="Pages">
<ul>
<li>${link('/docs', 'API reference')}</li>
</ul>
${sections.join('\n')}
</nav>
</div>`,
  })
}

/** The page of the API reference, which a script fills. */
export function referencePage(files: PageFiles): string {
  return shell({
    title: 'API reference · Milepost',
    head: [
      `<link rel="stylesheet" href="${files.referenceCss}">`,
      ...files.referenceScripts.map((url) => `<script type="module" src="${url}"></script>`),
    ].join('\n'),
    files,
    current: 'Reference',
    body: `<main id="main">
<div id="reference"></div>
<noscript><p class="prose">The reference needs JavaScript. Without it, read <a href="/llms-full.txt">everything as text</a>
or <a href="/openapi.json">the OpenAPI description</a>.</p></noscript>
</main>`,
  })
}

const PLACES = { Reference: '/docs', Guides: '/docs/getting-started', Dashboard: '/' }

interface Shell {
  title: string
  head: string
  files: PageFiles
  current: keyof typeof PLACES
  body: string
}

function shell({ title, head, files, current, body }: Shell): string {
  const places = Object.entries(PLACES).map(([name, path]) => link(path, name, name === current))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="${files.icon}" type="image/svg+xml">
${head}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<a class="wordmark" href="/docs/getting-started"><img src="${files.icon}" alt="" width="20" height="20">Milepost</a>
<nav class="places" aria-label="Main">
${places.join('\n')}
${current === 'Guides' ? '<a class="to-pages" href="#pages">Pages</a>' : ''}
</nav>
</header>
${body}
</body>
</html>
`
}

function link(path: string, name: string, isCurrent = false): string {
  return `<a href="${path}"${isCurrent ? ' aria-current="page"' : ''}>${escapeHtml(name)}</a>`
}
