import type { Workshop } from '../contenders/contender.ts'
import { row } from '../print.ts'
import { measureHeap } from './measure-heap.ts'
import { measureStartUp } from './measure-start-up.ts'

/** Prints the size of the Worker, its start-up and the memory of its largest object. */
export async function printSizes(workshop: Workshop): Promise<void> {
  row('', '', 'figure', 'target')
  const { gzipBytes } = await workshop.mileposts.build()
  row('bundle', 'KB, gzipped', (gzipBytes / 1_000).toFixed(0), '300')
  row('start-up', 'ms', (await measureStartUp(await workshop.folder())).toFixed(0), '50')
  const { object, isolate } = await measureHeap(workshop)
  row('object', 'MB of heap, 100,000 entries', object.toFixed(1), '20')
  row('isolate', 'MB of heap, with the object', isolate.toFixed(1))
}
