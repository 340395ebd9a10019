import { BenchOrganization } from '../bench-organization.ts'
import type { Workshop } from '../contenders/contender.ts'
import { Inspector } from './inspector.ts'

const ENTRIES = 100_000

interface Heap {
  /** What the object adds to the heap of the isolate that it shares with the Worker, in MB. */
  object: number
  /** The whole heap. */
  isolate: number
}

/** How much heap an object takes whose job has 100,000 entries, after a collection. */
export async function measureHeap({ mileposts }: Workshop): Promise<Heap> {
  const server = await mileposts.open({ inspect: true })
  const { port } = await server.miniflare.getInspectorURL()
  const inspector = await Inspector.open(`ws://127.0.0.1:${port}/core:user:milepost`)
  const usedHeap = async () => {
    await inspector.send('HeapProfiler.collectGarbage')
    const { usedSize } = await inspector.send('Runtime.getHeapUsage')
    return Number(usedSize)
  }
  try {
    const org = await BenchOrganization.open(server)
    const [small = '', large = ''] = await org.createJobs(2)
    // What the first requests allocate for good belongs to the Worker, not to the object.
    await org.addErrors(small, 500)
    const before = await usedHeap()
    await org.addErrors(large, ENTRIES)
    const after = await usedHeap()
    return { object: (after - before) / 1_000_000, isolate: after / 1_000_000 }
  } finally {
    inspector.close()
    await server.dispose()
  }
}
