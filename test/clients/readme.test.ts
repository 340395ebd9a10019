import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { call, freshOrganization, issueKey, startEdge } from '../edge/harness.ts'
import { HAS_PYTHON } from './run-python.ts'

const run = promisify(execFile)

let edge: Edge
/** In the repository, so that an example finds the package as it would there. */
let folder: string
beforeAll(async () => {
  edge = await startEdge()
  folder = await mkdtemp(resolve('build/readme-'))
})
afterAll(async () => {
  await edge?.dispose()
  if (folder) await rm(folder, { recursive: true })
})

const README = await readFile('README.md', 'utf8')
/** The example that follows a paragraph which begins with `lead`. */
function exampleAfter(lead: string): string {
  const [, rest = ''] = README.split(`\n**${lead}`)
  const [, example = ''] = /```\w+\n(.+?)```/s.exec(rest) ?? []
  return example
}

/** What it takes to run each of the README's workers, as the README says. */
const WORKERS: [lead: string, file: string, ...command: [string, ...string[]]][] = [
  ['Any program', 'run.sh', 'bash', '-euo', 'pipefail'],
  ['TypeScript or JavaScript', 'worker.ts', 'npx', 'node'],
  ['Python', 'worker.py', 'python3'],
  ['Any HTTP client', 'report.sh', 'bash', '-euo', 'pipefail'],
]

describe('The worker of the README, as it is written, imports two prices of three', () => {
  for (const [lead, file, program, ...args] of WORKERS) {
    test.skipIf(program === 'python3' && !HAS_PYTHON)(`by ${lead}`, async () => {
      const { key } = await issueKey(edge, {
        org: freshOrganization(),
        permissions: ['job:create', 'job:read'],
      })
      const path = join(folder, file)
      await writeFile(path, exampleAfter(lead))
      const PYTHONPATH = 'clients/python'
      await run(program, [...args, path], {
        env: { ...process.env, MILEPOST_URL: edge.url, MILEPOST_API_KEY: key, PYTHONPATH },
      })
      const { body } = await call(edge, key, 'GET', '/api/jobs/')
      expect(body.jobs).toMatchObject([
        { job_type: 'price_import', status: 'partial_success', total_items: 3, processed_items: 2 },
      ])
      const errors = await call(edge, key, 'GET', `/api/jobs/${body.jobs[0].job_id}/errors`)
      expect(errors.body.errors).toMatchObject([
        { entity_type: 'product', entity_key: 'sku-3', error_type: 'no_price', message: 'No price' },
      ])
    })
  }
})
