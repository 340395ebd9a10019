/** The first `limit` items. Asks for no page of which it needs nothing. */
export async function* take<T>(limit: number, items: AsyncIterable<T>): AsyncGenerator<T, void> {
  let left = limit
  for await (const item of items) {
    yield item
    if (--left <= 0) return
  }
}
