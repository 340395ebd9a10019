import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { openFakeImport } from './fake-import.ts'
import { type FeedOutcome, runFeedWorker } from './feed-worker.ts'
import { FILM_CATALOG, type Mapping } from './mapping.ts'
import { createProgressLine } from './progress-line.ts'
import { stopOnSignal } from './stop-on-signal.ts'

const USAGE = `Usage: node examples/feed-worker/main.ts FILE_OR_URL [--url URL] [--key mp_…] [--mapping FILE] [--dispatch-url URL]

  FILE_OR_URL      a product file: CSV, JSON (an array) or JSONL, plain or gzip
  --url            the URL of the Jobs API; or MILEPOST_URL
  --key            a server API key with job:create; or MILEPOST_API_KEY
  --mapping        a JSON file that names the columns: {"title": "name", "key": "sku", "amount": "price", …}; default: a film catalog
  --dispatch-url   the /import-json-async to send the rows to; default: a fake that this program starts`

const mappingSchema = z.strictObject({
  title: z.string(),
  key: z.string().optional(),
  releaseDate: z.string().optional(),
  amount: z.string().optional(),
  supplier: z.string().optional(),
  ageRating: z.string().optional(),
  ageRatings: z.array(z.string()).optional(),
})

const stop = stopOnSignal()
stop.end(await main(stop.signal))

/**
 * Returns the exit code. 0: the job finished. 1: it failed, was canceled or could not be reported. 2: wrong usage. After a
 * signal, `stop.end` turns 1 into 130 or 143.
 */
async function main(signal: AbortSignal): Promise<number> {
  let args: Awaited<ReturnType<typeof readArguments>>
  try {
    args = await readArguments()
  } catch (failure) {
    console.error(`${failure instanceof Error ? failure.message : failure}\n\n${USAGE}`)
    return 2
  }

  const fakeImport = args.dispatchUrl === undefined ? await openFakeImport() : null
  const line = createProgressLine(process.stdout)
  try {
    const outcome = await runFeedWorker({
      source: args.source,
      mapping: args.mapping,
      connection: { url: args.url, key: args.key },
      dispatchUrl: fakeImport?.url ?? args.dispatchUrl ?? '',
      onProgress: (job) => line.show(job),
      signal,
    })
    line.end()
    return announce(outcome)
  } catch (failure) {
    line.end()
    console.error(`The job could not be reported: ${failure instanceof Error ? failure.message : failure}`)
    return 1
  } finally {
    await fakeImport?.close()
  }
}

function announce(outcome: FeedOutcome): number {
  switch (outcome.kind) {
    case 'finished':
      console.log(
        `${outcome.job.jobId}: ${outcome.job.status}, dispatched as ${outcome.importJobId ?? 'nothing'}`,
      )
      return 0
    case 'failed':
      console.error(`${outcome.job.jobId}: failed. ${outcome.message}`)
      return 1
    case 'closed':
      console.error(`${outcome.jobId}: stopped. ${outcome.message}`)
      return 1
    case 'stopped': {
      const job = outcome.jobId === null ? 'No job was confirmed' : `${outcome.jobId}: could not tell the API`
      console.error(`${job}. ${outcome.message}`)
      return 1
    }
  }
}

async function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      key: { type: 'string' },
      mapping: { type: 'string' },
      'dispatch-url': { type: 'string' },
    },
  })
  const [source, ...others] = positionals
  const url = values.url ?? process.env.MILEPOST_URL
  const key = values.key ?? process.env.MILEPOST_API_KEY
  if (source === undefined || others.length > 0) throw new Error('Pass one file or URL')
  if (!url || !URL.canParse(url)) throw new Error('Pass the URL of the Jobs API: --url http://localhost:8787')
  if (!key) throw new Error('Pass a server API key: --key mp_…')
  const mapping = values.mapping === undefined ? FILM_CATALOG : await readMapping(values.mapping)
  return { source, url, key, mapping, dispatchUrl: values['dispatch-url'] }
}

async function readMapping(path: string): Promise<Mapping> {
  const parsed = mappingSchema.safeParse(JSON.parse(await readFile(path, 'utf8')))
  if (!parsed.success) throw new Error(`${path} is not a mapping:\n${z.prettifyError(parsed.error)}`)
  return parsed.data
}
