import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PROJECT } from '../settings.ts'
import { findDocuments } from './find-documents.ts'
import { writeAll, writeIndex } from './llms.ts'
import { describeOperations } from './operations.ts'
import { documentPage, type PageFiles, referencePage } from './page.ts'
import { linkMarkdown, renderDocument } from './render-document.ts'

/** The files behind `/docs`, `/llms.txt` and `/llms-full.txt`, by their paths without the leading slash. */
export async function siteFiles(): Promise<Map<string, string | Buffer>> {
  const files = new Map<string, string | Buffer>()
  /** Adds a file whose name changes with its content, so that browsers keep it forever. Returns its URL. */
  const addHashed = (name: string, content: string) => {
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 12)
    const path = `docs/assets/${name.replace('.', `-${hash}.`)}`
    files.set(path, content)
    return `/${path}`
  }
  const base = await source('src/dashboard/base.css')
  const pageFiles: PageFiles = {
    icon: addHashed('icon.svg', await source('src/dashboard/icon.svg')),
    documentCss: addHashed('document.css', `${base}\n${await source('src/docs/document.css')}`),
    // In a layer, the dashboard's rules for elements lose against those of Scalar.
    referenceCss: addHashed(
      'reference.css',
      `@layer page {\n${base}\n}\n${await source('src/docs/reference.css')}`,
    ),
    referenceScripts: [
      await addScalar(files),
      addHashed('reference.js', await source('src/docs/reference.js')),
    ],
  }
  const [documents, operations] = [await findDocuments(), describeOperations()]
  files.set('docs.html', referencePage(pageFiles))
  for (const document of documents) {
    const body = renderDocument(document, documents)
    files.set(`${document.path.slice(1)}.html`, documentPage(document, body, documents, pageFiles))
    files.set(`${document.path.slice(1)}.md`, linkMarkdown(document, documents))
  }
  for (const { path, markdown } of operations) files.set(path.slice(1), `${markdown}\n`)
  files.set('llms.txt', writeIndex(documents, operations))
  files.set('llms-full.txt', writeAll(documents, operations))
  return files
}

function source(file: string): Promise<string> {
  return readFile(join(PROJECT, file), 'utf8')
}

/**
 * Adds Scalar's browser build: modules, most of which load only when they are needed. Their names do not all change with
 * their content, so the version is in their path. Returns the URL of the first one.
 */
async function addScalar(files: Map<string, string | Buffer>): Promise<string> {
  const scalar = join(PROJECT, 'node_modules/@scalar/api-reference')
  const { version } = JSON.parse(await readFile(join(scalar, 'package.json'), 'utf8'))
  const browser = join(scalar, 'dist/browser')
  const chunks = (await readdir(join(browser, 'chunks'))).map((name) => `chunks/${name}`)
  for (const name of ['standalone.esm.js', ...chunks].filter((name) => name.endsWith('.js')))
    files.set(`docs/assets/scalar-${version}/${name}`, await readFile(join(browser, name)))
  return `/docs/assets/scalar-${version}/standalone.esm.js`
}
