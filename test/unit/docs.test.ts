import { beforeAll, expect, test } from 'vitest'
import type { Document } from '../../scripts/docs/find-documents.ts'
import { linkMarkdown, renderDocument } from '../../scripts/docs/render-document.ts'
import { siteFiles } from '../../scripts/docs/site-files.ts'
import { endpoints } from '../../src/endpoints/all.ts'

let files: Map<string, string>
let pages: [path: string, html: string][]
beforeAll(async () => {
  files = new Map([...(await siteFiles())].map(([path, content]) => [`/${path}`, String(content)]))
  pages = [...files]
    .filter(([path]) => path.endsWith('.html'))
    .map(([path, html]) => [path.replace(/\.html$/, ''), html])
})

/** What a link may lead to besides the pages: the dashboard, and what anyone may read of the API. */
const others = ['/', ...endpoints.filter(({ permission }) => permission === null).map(({ path }) => path)]

test('No link between pages is dead, down to the heading', () => {
  const dead = pages.flatMap(([page, html]) =>
    [...html.matchAll(/ (?:href|src)="([^"]+)"/g)]
      .map(([, url = '']) => url)
      .filter((url) => !/^https?:/.test(url))
      .filter((url) => {
        const [path = '', fragment] = url.split('#')
        const target = path === '' ? page : path
        const there = files.get(`${target}.html`)
        if (there === undefined) return !files.has(target) && !others.includes(target)
        return fragment !== undefined && !there.includes(` id="${fragment}"`)
      })
      .map((url) => `${page}: ${url}`),
  )
  expect(dead).toEqual([])
})

test('No link in the Markdown and in the index for language models is dead', () => {
  const texts = [...files].filter(([path]) => /\.(md|txt)$/.test(path))
  const dead = texts.flatMap(([path, text]) =>
    [...text.replaceAll(/```.*?```/gs, '').matchAll(/\]\(([^)#]+)[^)]*\)/g)]
      .map(([, url = '']) => url)
      .filter((url) => !/^https?:/.test(url))
      .filter((url) => !files.has(url) && !files.has(`${url}.html`) && !others.includes(url))
      .map((url) => `${path}: ${url}`),
  )
  expect(dead).toEqual([])
})

test('Every page is in the navigation of every other', () => {
  const paths = pages.map(([path]) => path)
  expect(paths).toEqual(expect.arrayContaining(['/docs', '/docs/api', '/docs/decisions/endpoint']))
  for (const [page, html] of pages.filter(([path]) => path !== '/docs'))
    for (const path of paths) expect(html, page).toContain(`href="${path}"`)
})

test('Pages run no code of their own and load nothing from elsewhere', () => {
  for (const [page, html] of pages) {
    expect(
      html.match(/<script(?! type="module" src="\/docs\/assets\/)|<style|\sstyle=|\son\w+=/g),
      page,
    ).toBeNull()
    expect(html.match(/(src|<link[^>]* href)="(?!\/docs\/assets\/)/g), page).toBeNull()
  }
})

test('llms.txt lists every document and operation, and llms-full.txt has them', () => {
  const [index = '', all = ''] = [files.get('/llms.txt'), files.get('/llms-full.txt')]
  expect(index).toMatch(/^# Milepost\n\n> [^#]+\n\n## API\n/)
  for (const [path] of pages.filter(([path]) => path !== '/docs')) {
    expect(index).toContain(`](${path}.md)`)
    expect(all).toContain(files.get(`${path}.md`)?.trim())
  }
  expect(index).not.toMatch(/:$/m)
  for (const { id, method, path, description } of endpoints) {
    expect(index).toContain(`](/docs/operations/${id}.md): \`${method.toUpperCase()} ${path}\``)
    expect(all).toContain(`\`${method.toUpperCase()} ${path}\`\n\n${description}`)
  }
})

const document = (file: string, path: string, markdown = ''): Document => ({
  file,
  path,
  section: '',
  title: `Page of ${file}`,
  markdown,
})

test('Links lead to the pages of files, and those to files without a page become text', () => {
  const rules = document('docs/rules.md', '/docs/rules')
  const index = document('docs/decisions/README.md', '/docs/decisions')
  const source = document(
    'docs/api.md',
    '/docs/api',
    '[rules.md](rules.md#it-s) [why](decisions/README.md) [why](decisions/) [code](../src/app.ts) [here](#one) [web](https://web.example)',
  )
  const all = [rules, index, source]
  expect(renderDocument(source, all)).toBe(
    '<p><a href="/docs/rules#it-s">Page of docs/rules.md</a> <a href="/docs/decisions">why</a> ' +
      '<a href="/docs/decisions">why</a> code <a href="#one">here</a> <a href="https://web.example">web</a></p>\n',
  )
  expect(linkMarkdown(source, all)).toBe(
    '[rules.md](/docs/rules.md#it-s) [why](/docs/decisions.md) [why](/docs/decisions.md) code [here](#one) [web](https://web.example)',
  )
})

test('Headings have the IDs that GitHub gives them', () => {
  const source = document(
    'docs/a.md',
    '/docs/a',
    "# What `wrangler dev` won't do & why\n\n## Same\n\n## Same",
  )
  const ids = [...renderDocument(source, [source]).matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  expect(ids).toEqual(['what-wrangler-dev-wont-do--why', 'same', 'same-1'])
})
