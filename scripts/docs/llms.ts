import type { Document } from './find-documents.ts'
import type { Operation } from './operations.ts'
import { linkMarkdown } from './render-document.ts'

const HEAD = `# Milepost

> The Jobs API of a merchant platform, at the edge. Workers create a job and report its progress with one POST until it is
> done; anyone with permission reads or watches it.`

/** `/llms.txt`, by https://llmstxt.org: what there is to read, and where. */
export function writeIndex(documents: readonly Document[], operations: readonly Operation[]): string {
  const sections = Map.groupBy(documents, ({ section }) => section)
  return `${[
    HEAD,
    'All of it in one file: [llms-full.txt](/llms-full.txt).',
    '## API',
    [
      '- [OpenAPI description](/openapi.json): all of it, with the schemas',
      '- [API reference](/docs): the same for people, who can try each operation there',
      ...operations.map(({ path, name, summary, brief }) => `- [${summary}](${path}): \`${name}\`. ${brief}`),
    ].join('\n'),
    ...[...sections].flatMap(([section, of]) => [
      // Readers with little room may skip what is listed under this heading.
      section === 'Project' ? '## Optional' : `## ${section}`,
      of.map((each) => `- [${each.title}](${each.path}.md): ${briefOf(each)}`).join('\n'),
    ]),
  ].join('\n\n')}\n`
}

/** `/llms-full.txt`: the documents and the operations, whole. */
export function writeAll(documents: readonly Document[], operations: readonly Operation[]): string {
  return `${[
    HEAD,
    ...documents.map((each) => `<!-- ${each.path}.md -->\n\n${linkMarkdown(each, documents).trim()}`),
    ...operations.map(({ path, markdown }) => `<!-- ${path} -->\n\n${markdown}`),
  ].join('\n\n')}\n`
}

/** The first sentence of a document, which says what it answers. */
function briefOf({ markdown }: Document): string {
  const [paragraph = ''] = markdown.split('\n\n').filter((block) => /^[A-Z`]/.test(block))
  const text = paragraph.replaceAll('\n', ' ').replace(/\[([^\]]+)\]\([^)]+\)/g, '$1')
  const sentence = /^.*?[.?:](?=\s|$)/.exec(text)?.[0] ?? text
  return sentence.replace(/:$/, '.')
}
