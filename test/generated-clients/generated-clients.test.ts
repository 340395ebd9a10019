import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { call, freshOrganization, issueKey, startEdge } from '../edge/harness.ts'

const HERE = import.meta.dirname

const CLIENTS = [
  {
    client: 'openapi-fetch',
    generator: [
      'openapi-typescript/bin/cli.js',
      'openapi.json',
      // Without this flag, every request field with a default is required.
      '--default-non-nullable=false',
      '--output=generated/schema.ts',
    ],
  },
  {
    client: 'hey-api',
    generator: [
      '@hey-api/openapi-ts/bin/run.js',
      '--input=openapi.json',
      '--output=generated',
      '--no-log-file',
    ],
  },
]

/** In ms. Each test starts three processes, the TypeScript compiler among them. */
const TIMEOUT = 120_000

let edge: Edge
/** Inside this package: the programs resolve its dependencies from there. */
let temporary: string

beforeAll(async () => {
  edge = await startEdge()
  temporary = await mkdtemp(join(HERE, 'temporary-'))
})
afterAll(async () => {
  await edge?.dispose()
  if (temporary) await rm(temporary, { recursive: true })
})

test.each(CLIENTS)(
  'A client generated for $client runs a job from create to finish',
  { timeout: TIMEOUT },
  async ({ client, generator: [generator = '', ...flags] }) => {
    const folder = join(temporary, client)
    await mkdir(folder)
    await cp(join(HERE, client, 'run-job.ts'), join(folder, 'run-job.ts'))
    await cp(join(HERE, 'tsconfig.json'), join(folder, 'tsconfig.json'))
    const description = await call(edge, null, 'GET', '/openapi.json')
    await writeFile(join(folder, 'openapi.json'), description.text)
    await node(folder, join(HERE, 'node_modules', generator), ...flags)
    await node(folder, join(HERE, 'node_modules/typescript/bin/tsc'))

    const org = freshOrganization()
    const { key } = await issueKey(edge, { org })
    const printed = JSON.parse(await node(folder, 'run-job.js', edge.url, key))

    expect(printed).toMatchObject({
      listed: [printed.job.job_id],
      polled: 'in_progress',
      failed: ['sku-2'],
      late: expect.stringContaining('partial_success'),
      job: {
        status: 'partial_success',
        total_items: 3,
        processed_items: 2,
        failed_items: 1,
        warned_items: 1,
        progress_percentage: 100,
        metadata: { source: 'sftp', stage: 'uploading', last_message: 'Nearly there' },
        errors: [
          { entity_key: 'sku-2', entity_type: 'product', error_type: 'no_price', message: 'No price' },
        ],
        warnings: [
          { entity_key: 'sku-3', entity_type: 'product', error_type: 'no_image', message: 'No image' },
        ],
      },
    })
  },
)

/** Runs a JavaScript file in Node and returns what it prints. Throws what it printed if it fails. */
async function node(cwd: string, file: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [file, ...args], { cwd })
    return stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${file} failed:\n${stdout}${stderr}`)
  }
}
