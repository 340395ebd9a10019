/**
 * Reads the first `size` bytes, or fewer if the source is shorter. `all` yields every byte, including the head, once. If the
 * caller does not read it, the caller must close the source.
 */
export async function readHead(
  chunks: AsyncIterable<Uint8Array>,
  size: number,
): Promise<{ head: Buffer; all: AsyncIterable<Uint8Array> }> {
  const source = chunks[Symbol.asyncIterator]()
  const read: Uint8Array[] = []
  let bytes = 0
  while (bytes < size) {
    const next = await source.next()
    if (next.done) break
    read.push(next.value)
    bytes += next.value.byteLength
  }
  async function* replay() {
    yield* read
    yield* { [Symbol.asyncIterator]: () => source }
  }
  return { head: Buffer.concat(read).subarray(0, size), all: replay() }
}
