interface Event {
  at: number
  run: () => void
}

/** Runs what is scheduled in the order of its time, in ms, without waiting: a binary heap. */
export class VirtualTime {
  now: number
  readonly #heap: Event[] = []

  constructor(start: number) {
    this.now = start
  }

  /** Runs it at `at`, or now if that has passed. */
  at(at: number, run: () => void): void {
    const heap = this.#heap
    const event = { at: Math.max(at, this.now), run }
    let index = heap.length
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (timeAt(heap, parent) <= event.at) break
      heap[index] = heap[parent] as Event
      index = parent
    }
    heap[index] = event
  }

  runUntil(end: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#removeFirst()
      this.now = next.at
      next.run()
    }
    this.now = end
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      if (left >= heap.length) break
      const child = timeAt(heap, left + 1) < timeAt(heap, left) ? left + 1 : left
      if (timeAt(heap, child) >= last.at) break
      heap[index] = heap[child] as Event
      index = child
    }
    heap[index] = last
  }
}

function timeAt(heap: Event[], index: number): number {
  return heap[index]?.at ?? Number.POSITIVE_INFINITY
}
