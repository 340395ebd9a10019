import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { FeedError } from '../../examples/feed-worker/feed-error.ts'
import { nameFeed, readFeed } from '../../examples/feed-worker/read-feed.ts'
import { unpackFeed } from '../../examples/feed-worker/unpack-feed.ts'

const MIB = 1024 * 1024

const TEA = [{ number: 1, value: { name: 'Tea' } }]

async function writeFeed(name: string, content: string | Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'read-feed-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, name), content)
  return join(folder, name)
}

/** Starts a feed server and returns its base URL. */
async function openShop(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('the name of a feed reveals no credentials, query or folder', () => {
  expect(nameFeed('https://me:pass@shop.test/feed.csv?token=abc#x')).toBe('https://shop.test/feed.csv')
  expect(nameFeed('/home/me/feed.csv')).toBe('feed.csv')
})

test('the error about a missing file does not reveal its folder', async () => {
  await expect(readFeed('/nowhere/at/all/feed.csv')).rejects.toThrow(/^feed\.csv does not exist$/)
})

test('a folder is not a feed', async () => {
  await expect(readFeed(tmpdir())).rejects.toThrow(FeedError)
})

test.for([
  ['feed.csv', 'name\nTea\n'],
  ['feed.csv.gz', gzipSync('name\nTea\n')],
  ['feed.jsonl.GZ', gzipSync('{"name":"Tea"}')],
  ['feed', gzipSync('[{"name":"Tea"}]')],
  ['feed.csv', gzipSync('name\nTea\n')],
  ['feed.csv.gz', Buffer.concat([gzipSync('name\n'), gzipSync('Tea\n')])],
] as const)('%s is read, whether gzip or plain', async ([name, content]) => {
  expect(await readFeed(await writeFeed(name, content))).toEqual(TEA)
})

test.for([
  ['that serves a gzip file', '/feed.csv.gz', { 'content-type': 'application/gzip' }],
  ['that compresses in transit', '/feed.csv', { 'content-type': 'text/csv', 'content-encoding': 'gzip' }],
  ['that declares a gzip file as a content encoding', '/feed.csv.gz', { 'content-encoding': 'gzip' }],
] as const)('a feed is read from a server %s', async ([, path, headers]) => {
  const shop = await openShop((_, response) => response.writeHead(200, headers).end(gzipSync('name\nTea\n')))
  expect(await readFeed(`${shop}${path}?token=abc`)).toEqual(TEA)
})

const WHOLE_GZIP = gzipSync('name\nTea\n')

test.for([
  ['truncated', WHOLE_GZIP.subarray(0, -9)],
  ['damaged', Buffer.concat([WHOLE_GZIP.subarray(0, 12), Buffer.alloc(20, 0xff)])],
  ['not gzip', Buffer.from('name\nTea\n')],
] as const)('a gzip file that is %s cannot be unpacked', async ([, content]) => {
  const feed = await writeFeed('feed.csv.gz', content)
  await expect(readFeed(feed)).rejects.toThrow(
    new FeedError('feed.csv.gz cannot be unpacked: it is damaged or not gzip'),
  )
})

const base64 = (text: string) => Buffer.from(text, 'base64')

test.for([
  [
    'zip',
    base64(
      'UEsDBBQAAAAAALqOeF0WZ0EACQAAAAkAAAAFAAAAdC5jc3ZuYW1lClRlYQpQSwECFAMUAAAAAAC6jnhdFmdBAAkAAAAJAAAABQAAAAAAAAAAAAAAgAEAAAAAdC5jc3ZQSwUGAAAAAAEAAQAzAAAALAAAAAAA',
    ),
  ],
  ['bzip2', base64('QlpoOTFBWSZTWf2m+woAAARDAAAQBAAiAyAAMMAGTGpbIAHi7kinChIftN9hQA==')],
  ['zstd', zstdCompressSync('name\nTea\n')],
  [
    'xz',
    base64('/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAIbmFtZQpUZWEKAAAAAGcs0S4Bcvl3AAEhCWwYxdUftvN9AQAAAAAEWVo='),
  ],
] as const)(
  'a feed compressed with %s is refused by that name, whatever the file is called',
  async ([kind, content]) => {
    const refusal = (what: string) =>
      new FeedError(`${what} is compressed (${kind}); send it uncompressed or as gzip`)
    await expect(readFeed(await writeFeed('feed.csv', content))).rejects.toThrow(refusal('feed.csv'))
    await expect(readFeed(await writeFeed('feed.gz', content))).rejects.toThrow(refusal('feed.gz'))
    const twice = await writeFeed('feed.csv.gz', gzipSync(content))
    await expect(readFeed(twice)).rejects.toThrow(refusal('The file in feed.csv.gz'))
  },
)

/** Reads to the end or the first failure, without keeping the data. */
async function drain(chunks: AsyncIterable<Uint8Array>) {
  const seen = { bytes: 0, largestChunk: 0, refusal: undefined as unknown }
  try {
    for await (const chunk of chunks) {
      seen.bytes += chunk.byteLength
      seen.largestChunk = Math.max(seen.largestChunk, chunk.byteLength)
    }
  } catch (failure) {
    seen.refusal = failure
  }
  return seen
}

test('a small gzip that unpacks to more than 256 MiB is refused, and unpacked in small chunks', async () => {
  const hundredMiB = gzipSync(Buffer.alloc(100 * MIB))
  const bomb = Readable.from([hundredMiB, hundredMiB, hundredMiB])
  const seen = await drain(unpackFeed('feed.gz', bomb))
  expect(seen.refusal).toEqual(new FeedError('feed.gz, unpacked, is larger than 256 MiB'))
  expect(seen.bytes).toBe(256 * MIB)
  expect(seen.largestChunk).toBeLessThanOrEqual(MIB)
}, 30_000)

test('a plain feed larger than 256 MiB is refused', async () => {
  const chunks = Readable.from(Array(257).fill(Buffer.alloc(MIB)))
  const { refusal } = await drain(unpackFeed('feed.csv', chunks))
  expect(refusal).toEqual(new FeedError('feed.csv is larger than 256 MiB'))
})

test('a download that falls silent fails and says why', async () => {
  const shop = await openShop((_, response) => response.write('name\n'))
  const feed = readFeed(`${shop}/feed.csv`, { longestSilenceMs: 50 })
  await expect(feed).rejects.toThrow(new FeedError(`${shop}/feed.csv sent nothing for 0.05 s`))
})

test('the download of a refused feed stops', async () => {
  let hangUp = () => {}
  const hungUp = new Promise<void>((resolve) => {
    hangUp = resolve
  })
  const shop = await openShop((_, response) => {
    response.on('close', hangUp).write(zstdCompressSync('name\nTea\n'))
  })
  await expect(readFeed(`${shop}/feed.csv`)).rejects.toThrow('is compressed (zstd)')
  await hungUp
})

test('aborting the signal ends the read with its reason', async () => {
  const stop = new AbortController()
  const reason = new Error('Ctrl-C')
  const shop = await openShop((_, response) => {
    response.write('name\n')
    stop.abort(reason)
  })
  await expect(readFeed(`${shop}/feed.csv`, { signal: stop.signal })).rejects.toBe(reason)
  await expect(readFeed('/nowhere/feed.csv', { signal: stop.signal })).rejects.toBe(reason)
})
