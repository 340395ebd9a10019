import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { freshOrganization, issueKey, startEdge } from '../edge/harness.ts'

const PACKAGE = 'clients/typescript'
const run = promisify(execFile)

let edge: Edge
let folder: string
beforeAll(async () => {
  edge = await startEdge()
  folder = await mkdtemp(join(tmpdir(), 'milepost-package-'))
})
afterAll(async () => {
  await edge?.dispose()
  if (folder) await rm(folder, { recursive: true })
})

test('the package installs without the registry, and its README example runs as written', async () => {
  // Without its scripts: they would build anew while other tests use what is built.
  const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: PACKAGE,
  })
  const [{ filename, files }] = JSON.parse(packed.stdout) as [{ filename: string; files: { path: string }[] }]
  const paths = files.map(({ path }) => path).filter((path) => !/^dist\/.+\.(js|d\.ts)$/.test(path))
  expect(paths.toSorted()).toEqual(['LICENSE', 'README.md', 'package.json'])

  await writeFile(join(folder, 'package.json'), '{"type": "module"}')
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(folder, filename)], {
    cwd: folder,
  })
  const [, example = ''] = /```js\n(.+?)```/s.exec(await readFile(`${PACKAGE}/README.md`, 'utf8')) ?? []
  await writeFile(join(folder, 'worker.js'), example)
  // A browser's project, or one of Deno. It compiles what it imports as well.
  const tsc = ['--noEmit', '--strict', '--module', 'esnext', '--moduleResolution', 'bundler', '--types', '']
  const checked = [resolve('node_modules/typescript/bin/tsc'), ...tsc, '--lib', 'es2022,dom', 'worker.ts']
  await writeFile(join(folder, 'worker.ts'), `${example}export {}\n`)
  await run(process.execPath, checked, { cwd: folder })
  const { key } = await issueKey(edge, { org: freshOrganization() })
  const env = { ...process.env, MILEPOST_URL: edge.url, MILEPOST_API_KEY: key }
  const { stdout, stderr } = await run(process.execPath, ['worker.js'], { cwd: folder, env })
  expect({ stdout, stderr }).toEqual({ stdout: 'partial_success\n', stderr: '' })
})
