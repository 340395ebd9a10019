import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { FeedError } from './feed-error.ts'
import { readHead } from './read-head.ts'

const LARGEST_MIB = 256

/** The first bytes of each kind of file, in hex. */
const MAGIC = {
  gzip: /^1f8b/,
  zip: /^504b(0304|0506|0708)/,
  bzip2: /^425a683[1-9]314159265359/,
  zstd: /^28b52ffd/,
  xz: /^fd377a585a00/,
}
const MAGIC_BYTES = 10

type Kind = keyof typeof MAGIC

/**
 * Yields the bytes of a feed, unpacked if its first bytes or its name say gzip. Throws FeedError for any other compression, for
 * damaged files, and beyond 256 MiB, packed or unpacked: a small file may unpack to any size.
 */
export async function* unpackFeed(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const packed = await readHead(limitSize(chunks, name), MAGIC_BYTES)
  const kind = findKind(packed.head) ?? (isNamedGzip(name) ? 'gzip' : null)
  if (kind === null) return yield* packed.all
  if (kind !== 'gzip') throw refuse(name, kind)

  const plain = await readHead(limitSize(gunzip(packed.all, name), `${name}, unpacked,`), MAGIC_BYTES)
  const inner = findKind(plain.head)
  if (inner !== null) throw refuse(`The file in ${name}`, inner)
  yield* plain.all
}

function isNamedGzip(name: string): boolean {
  return /\.gz$/i.test(name)
}

function findKind(head: Buffer): Kind | null {
  const start = head.toString('hex')
  return (Object.keys(MAGIC) as Kind[]).find((kind) => MAGIC[kind].test(start)) ?? null
}

function refuse(what: string, kind: Kind): FeedError {
  return new FeedError(`${what} is compressed (${kind}); send it uncompressed or as gzip`)
}

async function* gunzip(packed: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const unpacked = createGunzip()
  // pipeline() requires a callback. Failures to read or unpack surface in the loop over `unpacked`.
  pipeline(packed, unpacked, () => {})
  try {
    yield* unpacked
  } catch (cause) {
    const isBroken = cause instanceof Error && 'code' in cause && String(cause.code).startsWith('Z_')
    if (!isBroken) throw cause
    throw new FeedError(`${name} cannot be unpacked: it is damaged or not gzip`, { cause })
  }
}

async function* limitSize(chunks: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.byteLength
    if (bytes > LARGEST_MIB * 1024 * 1024) throw new FeedError(`${what} is larger than ${LARGEST_MIB} MiB`)
    yield chunk
  }
}
