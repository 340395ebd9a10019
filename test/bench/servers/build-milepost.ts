import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { PROJECT } from '../../../scripts/settings.ts'

/** What is put around Milepost: a file in `workers/wrappers/` each. */
export type WrapperName = 'slow-d1' | 'counted'

export interface Build {
  modules: { type: 'ESModule' | 'Text'; path: string; contents: string }[]
  /** What a deployment uploads, in bytes of gzip. */
  gzipBytes: number
}

/** Builds the Worker as a deployment does, into `dir`, with the wrappers around the Worker and its objects. */
export async function buildMilepost(
  dir: string,
  { wrappers, classes }: { wrappers: WrapperName[]; classes: string[] },
): Promise<Build> {
  const product = join(PROJECT, 'src/index.ts')
  const entry = join(dir, 'entry.ts')
  const output = join(dir, 'out')
  await mkdir(dir, { recursive: true })
  if (wrappers.length > 0) await writeFile(entry, wrappedEntry(product, wrappers, classes))
  await promisify(execFile)(
    process.execPath,
    [
      join(PROJECT, 'node_modules/wrangler/bin/wrangler.js'),
      'deploy',
      wrappers.length > 0 ? entry : product,
      '--config',
      join(PROJECT, 'wrangler.toml'),
      '--dry-run',
      '--outdir',
      output,
    ],
    {
      cwd: PROJECT,
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' },
    },
  )
  const main = `${wrappers.length > 0 ? 'entry' : 'index'}.js`
  const names = (await readdir(output)).filter((name) => name !== 'README.md' && !name.endsWith('.map'))
  const modules = await Promise.all(
    names.map(async (name) => ({
      type: name === main ? ('ESModule' as const) : ('Text' as const),
      path: name,
      contents: await readFile(join(output, name), 'utf8'),
    })),
  )
  // Miniflare takes the first module as the entry.
  modules.sort((a, b) => Number(b.path === main) - Number(a.path === main))
  return { modules, gzipBytes: gzipSync(modules.map(({ contents }) => contents).join('')).length }
}

/** An entry that exports what the product exports, wrapped. */
function wrappedEntry(product: string, wrappers: WrapperName[], classes: string[]): string {
  const workers = join(PROJECT, 'test/bench/workers')
  return [
    `import * as product from ${JSON.stringify(product)}`,
    `import { wrapHandler, wrapObject } from ${JSON.stringify(join(workers, 'wrap.ts'))}`,
    ...wrappers.map(
      (name, n) =>
        `import { wrapper as wrapper${n} } from ${JSON.stringify(join(workers, 'wrappers', `${name}.ts`))}`,
    ),
    `const wrappers = [${wrappers.map((_, n) => `wrapper${n}`)}]`,
    'export default wrapHandler(product.default, wrappers)',
    ...classes.map((name) => `export const ${name} = wrapObject(product.${name}, wrappers)`),
  ].join('\n')
}
