import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { PROJECT } from '../settings.ts'

/** A Markdown file that is served as a page. */
export interface Document {
  /** From the project's folder: `docs/api.md`. */
  file: string
  /** Where it is served, without an extension: `/docs/api`. Its Markdown is there too, with `.md` added. */
  path: string
  /** The heading under which the navigation lists it. */
  section: string
  /** How the navigation calls it. */
  title: string
  markdown: string
}

/** Files whose first heading says too little in a list of pages. */
const TITLES: Record<string, string> = {
  'README.md': 'Getting started',
  'clients/typescript/README.md': 'TypeScript client',
  'clients/python/README.md': 'Python client',
}

/**
 * Every document of the project, in the order of the navigation. A new file in `docs`, `docs/decisions`, or a README of a
 * client or an example appears by itself.
 */
export async function findDocuments(): Promise<Document[]> {
  const readme = await readFile(join(PROJECT, 'README.md'), 'utf8')
  const isNamed = (file: string) => (readme.includes(`](${file})`) ? readme.indexOf(`](${file})`) : Infinity)
  const guides = (await markdownIn('docs')).sort((a, b) => isNamed(a) - isNamed(b) || a.localeCompare(b))
  const decisions = (await markdownIn('docs/decisions')).sort(
    (a, b) => Number(isIndex(b)) - Number(isIndex(a)) || a.localeCompare(b),
  )
  const sections = {
    Guides: ['README.md', ...guides],
    Clients: await readmesIn('clients'),
    Examples: await readmesIn('examples'),
    Decisions: decisions,
    Project: ['CONTRIBUTING.md', 'CHANGELOG.md'],
  }
  return await Promise.all(
    Object.entries(sections).flatMap(([section, files]) => files.map((file) => readDocument(file, section))),
  )
}

async function readDocument(file: string, section: string): Promise<Document> {
  const markdown = await readFile(join(PROJECT, file), 'utf8')
  const [, heading] = /^# (.+)$/m.exec(markdown) ?? []
  const title = TITLES[file] ?? heading
  if (title === undefined) throw new Error(`${file} has no heading`)
  return { file, path: pathOf(file), section, title, markdown }
}

function pathOf(file: string): string {
  if (file === 'README.md') return '/docs/getting-started'
  const path = file.replace(/^docs\//, '').replace(/\.md$/, '')
  return `/docs/${path.replace(/\/README$/, '').toLowerCase()}`
}

function isIndex(file: string): boolean {
  return basename(file) === 'README.md'
}

async function markdownIn(folder: string): Promise<string[]> {
  const names = await readdir(join(PROJECT, folder))
  return names.filter((name) => name.endsWith('.md')).map((name) => `${folder}/${name}`)
}

/** The READMEs of the folders in a folder, which need not exist. */
async function readmesIn(folder: string): Promise<string[]> {
  const names = existsSync(join(PROJECT, folder)) ? await readdir(join(PROJECT, folder)) : []
  return names
    .map((name) => `${folder}/${name}/README.md`)
    .filter((file) => existsSync(join(PROJECT, file)))
    .sort()
}
