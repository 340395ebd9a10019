import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import * as limits from '../../src/jobs/limits.ts'
import { call, freshOrganization, issueKey, startEdge } from '../edge/harness.ts'
import { startFlakyProxy } from './flaky-proxy.ts'
import { HAS_PYTHON, startPython } from './run-python.ts'

if (!HAS_PYTHON && process.env.REQUIRE_PYTHON) throw new Error('There is no python3')
if (!HAS_PYTHON) console.warn('There is no python3: the tests of the Python client are skipped')

test('The Python client knows the bounds of the API', async () => {
  const source = await readFile('clients/python/milepost/_report.py', 'utf8')
  const lines = source.matchAll(/^(MAX_\w+) = ([0-9_]+)( \* 1024)?$/gm)
  const bounds = Object.fromEntries(
    [...lines].map(([, name, n = '', kb]) => [name, Number(n.replaceAll('_', '')) * (kb ? 1024 : 1)]),
  )
  expect(bounds).toMatchObject({
    MAX_LINE: limits.MAX_LINE,
    MAX_MESSAGE: limits.MAX_MESSAGE,
    MAX_DETAILS_BYTES: limits.MAX_DETAILS_BYTES,
    MAX_METADATA_BYTES: limits.MAX_METADATA_BYTES,
    MAX_ENTRIES: limits.MAX_REPORTED_ENTRIES - 1,
    MAX_COUNTERS: limits.MAX_COUNTERS,
    MAX_COUNTER_NAME: limits.MAX_COUNTER_NAME,
  })
})

describe.skipIf(!HAS_PYTHON)('The Python client', () => {
  let edge: Edge
  let ownTests: ReturnType<typeof startPython>
  beforeAll(async () => {
    // They need no edge, and run while it starts.
    ownTests = startPython(['-m', 'unittest', 'discover', '-s', 'tests', '-t', '.'])
    edge = await startEdge()
  })
  afterAll(async () => {
    ownTests.process.kill('SIGKILL')
    await edge?.dispose()
  })

  /** Starts a script that is called with the address and a key of an organization of its own. */
  async function startScript(script: string, { url = edge.url, path }: { url?: string; path?: string } = {}) {
    const { key } = await issueKey(edge, { org: freshOrganization() })
    const start = (code: string, env = {}) => {
      const run = startPython(['-c', code], { MILEPOST_URL: url, MILEPOST_API_KEY: key, ...env }, path)
      onTestFinished(() => void run.process.kill('SIGKILL'))
      return run
    }
    const readJob = async (jobId: string) => (await call(edge, key, 'GET', `/api/jobs/${jobId}`)).body
    return { ...start(script), start, key, readJob }
  }

  test('merges, cuts and tries again as its own tests say', async () => {
    const { code, output } = await ownTests.ended
    expect(output).toMatch(/\nOK\n$/)
    expect(code).toBe(0)
  })

  test('is built twice as the same bytes, and runs its first example as installed from them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'milepost-python-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const install = await startPython(['-c', INSTALL, folder]).ended
    expect(install).toMatchObject({ code: 0 })
    const readme = await readFile('clients/python/README.md', 'utf8')
    const [, example = ''] = /```python\n(.*?)```/s.exec(readme) ?? []
    const { ended } = await startScript(example, { path: join(folder, 'installed') })
    expect(await ended).toEqual({ code: 0, output: 'partial_success\n' })
  })

  test('loses and doubles nothing when four in ten requests fail, and makes few of them', async () => {
    const proxy = await startFlakyProxy(edge.url, 34)
    onTestFinished(() => proxy.close())
    const { ended, printed, key, readJob } = await startScript(IMPORT, { url: proxy.url })
    expect(await ended).toMatchObject({ code: 0 })
    const jobId = await printed('job ')
    expect(await readJob(jobId)).toMatchObject({
      status: 'partial_success',
      processed_items: 9_500,
      failed_items: 500,
      error_count: 500,
      warning_count: 100,
      counters: { created: 9_500 },
      metadata: { file: 'a.csv', stage: 'done', last_message: 'row 9999' },
      stages: [{ stage: 'uploading' }, { stage: 'done' }],
    })
    const { body } = await call(edge, key, 'GET', `/api/jobs/${jobId}/errors?limit=1000`)
    const keys = body.errors.map((error: { entity_key: string }) => error.entity_key)
    expect(keys).toEqual(Array.from({ length: 500 }, (_, n) => String(n * 20)))
    expect(Object.values(proxy.faults).reduce((sum, n) => sum + n)).toBeGreaterThanOrEqual(3)
    expect(proxy.requests).toBeLessThan(200)
  })

  test('reads all pages, watches to the end and cancels, over the same network', async () => {
    const proxy = await startFlakyProxy(edge.url, 34)
    onTestFinished(() => proxy.close())
    const { ended } = await startScript(READ, { url: proxy.url })
    const output =
      "['in_progress', 'cancelled'] 1200 0 wrong file True\nTrue half of it 7\n[('cancelled', 1)]\n[('import', 0)]\n"
    expect(await ended).toEqual({ code: 0, output })
  })

  test('fails the job when an exception leaves the block, and lets it go on', async () => {
    const { ended, printed, readJob } = await startScript(`${OPEN}    raise ValueError("no such file")`)
    expect(await ended).toMatchObject({ code: 1 })
    expect((await ended).output).toContain('ValueError: no such file')
    expect(await readJob(await printed('job '))).toMatchObject({
      status: 'failed',
      error_message: 'ValueError: no such file',
    })
  })

  test('fails the job on SIGTERM, once all that was done is reported', async () => {
    const { process, ended, printed, readJob } = await startScript(COUNT)
    await printed('counting')
    process.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 143 })
    const job = await readJob(await printed('job '))
    expect(job).toMatchObject({ status: 'failed', error_message: 'terminated by SIGTERM' })
    const rows = Number(await printed('rows '))
    // A row that was under way when the signal came has not been counted.
    expect([rows - 1, rows]).toContain(job.processed_items)
  })

  test('sends what waits at exit, and forked children send their own', async () => {
    const { ended, printed, readJob } = await startScript(FORK)
    expect(await ended).toMatchObject({ code: 0 })
    expect(await readJob(await printed('job '))).toMatchObject({ status: 'in_progress', processed_items: 31 })
  })

  test('goes on with its job after SIGKILL, from what was acknowledged', async () => {
    const killed = await startScript(COUNT)
    const acknowledged = Number(await killed.printed('counting'))
    killed.process.kill('SIGKILL')
    await killed.ended
    const jobId = await killed.printed('job ')
    const { status, processed_items: before } = await killed.readJob(jobId)
    expect(status).toBe('in_progress')
    expect(before).toBeGreaterThanOrEqual(acknowledged)
    const again = killed.start(RESUME, { JOB_ID: jobId })
    expect(await again.ended).toMatchObject({ code: 0, output: `from ${before}\n` })
    expect(await killed.readJob(jobId)).toMatchObject({
      status: 'completed',
      processed_items: before + 1_000,
    })
  })

  test('stops at the next row when the job is canceled, and still reports all that was done', async () => {
    const { ended, printed, key, readJob } = await startScript(COUNT)
    await printed('counting')
    const jobId = await printed('job ')
    await call(edge, key, 'POST', `/api/jobs/${jobId}/cancel`, { reason: 'wrong file' })
    expect((await ended).output).toContain(`JobClosed: ${jobId} is cancelled`)
    expect(await readJob(jobId)).toMatchObject({
      status: 'cancelled',
      error_message: 'wrong file',
      processed_items: Number(await printed('rows ')),
    })
  })
})

/** Installs the package from its wheel: with pip if Python has it, otherwise by unpacking it. */
const INSTALL = `
import importlib.util, pathlib, subprocess, sys, zipfile
import backend

folder = pathlib.Path(sys.argv[1])
builds = []
for build in (backend.build_wheel, backend.build_sdist):
    for n in ("1", "2"):
        (folder / n).mkdir(exist_ok=True)
        name = build(folder / n)
        builds.append((folder / n / name).read_bytes())
assert builds[0] == builds[1] and builds[2] == builds[3], "not reproducible"
if importlib.util.find_spec("pip"):
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, "--root-user-action", "ignore", "--target", folder / "installed", "."], check=True)
else:
    zipfile.ZipFile(next((folder / "1").glob("*.whl"))).extractall(folder / "installed")
`

// Faults should meet more than a few requests.
const OPEN = `
import itertools, milepost
with milepost.Client(reports_per_second=20).job("import") as job:
    print("job", job.id)
`

const IMPORT = `${OPEN}
    job.total(10_000)
    job.metadata({"file": "a.csv"})
    job.stage("uploading")
    for row in job.track(range(10_000)):
        if row % 20 == 0:
            job.error(entity_type="product", entity_key=row, error_type="no_price", message="No price")
        else:
            job.count(created=1)
        if row % 100 == 1:
            job.warning(entity_type="product", entity_key=row, error_type="no_image", message="No image")
        job.message(f"row {row}")
    job.stage("done")
`

const READ = `
import milepost
client = milepost.Client()
job = client.job("import")
job.start()
for n in range(1_200):
    job.error(entity_key=n, error_type="bad", message="No")
job.processed(7)
job.message("half of it")
job.flush()
heard = []
states = client.watch(job.id, on_message=heard.append)
statuses = [next(states)["status"]]
client.cancel(job.id, "wrong file")
statuses += [state["status"] for state in states]
errors, warnings = list(client.errors(job.id)), list(client.warnings(job.id, error_type="odd"))
rows = b"".join(client.errors_csv(job.id)).decode("utf-8-sig").splitlines()
assert len(rows) == 1_201 and rows[0].startswith("timestamp,entity_type,"), rows[:2]
[about] = client.entity_entries("job", "7")
assert (about["kind"], about["job_id"], about["message"]) == ("error", job.id, "No"), about
counts = client.error_groups(since="2026-01-01T10:30:00Z", until="2026-01-02")
assert (counts["since"], counts["errors"]) == ("2026-01-01T10:00:00.000Z", []), counts
[group] = client.entry_groups(job.id)["errors"]
assert group["count"] == 1_200 and group["sample"]["entity_key"] == "1199", group
ids = [state["job_id"] for state in client.jobs(status=["cancelled", "failed"], job_type="import")]
print(statuses, len(errors), len(warnings), client.get(job.id)["error_message"], ids == [job.id])
print(heard == client.messages(job.id), heard[0]["message"], client.history(job.id)["points"][-1]["processed_items"])
print([(count["status"], count["jobs"]) for count in client.stats(since="2026-01-01", job_type="import")])
print([(each["job_type"], each["jobs"]) for each in client.job_types()])
`

/** Counts rows until something stops it, and prints how many it has done. */
const COUNT = `${OPEN}
    rows = 0
    try:
        for _ in job.track(itertools.count()):
            rows += 1
            if rows == 1_000:
                job.flush()
                print("counting", job.state["processed_items"])
    finally:
        print("rows", rows)
`

const FORK = `
import milepost, multiprocessing
job = milepost.job("import")
job.start()
job.add(1)
fork = multiprocessing.get_context("fork")
children = [fork.Process(target=job.add, args=(10,)) for _ in range(3)]
for child in children:
    child.start()
for child in children:
    child.join()
print("job", job.id)
`

const RESUME = `
import os, milepost
with milepost.job(job_id=os.environ["JOB_ID"]) as job:
    print("from", job.state["processed_items"])
    for _ in job.track(range(1_000)):
        pass
`
