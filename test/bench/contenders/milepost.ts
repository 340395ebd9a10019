import { BenchOrganization } from '../bench-organization.ts'
import type { WrapperName } from '../servers/build-milepost.ts'
import type { MilepostServer } from '../servers/open-milepost.ts'
import type { Contender, Opened, Workshop } from './contender.ts'

/** The requests of a case. */
export type Prepared = Omit<Opened['load'], 'url' | 'headers'> & { headers?: Record<string, string> }

interface Options {
  wrappers?: WrapperName[]
  leadIn?: number
  /** Is called whenever Milepost is up. What it returns is called before Milepost ends. */
  attend?: (load: Opened['load']) => Promise<() => Promise<void>>
}

export interface MilepostContender extends Contender {
  /** Opens it with more wrappers, on the jobs of the last time. */
  openWith: (workshop: Workshop, wrappers: WrapperName[]) => Promise<Opened>
}

/** Milepost itself, with the jobs that `prepare` makes once. */
export function milepost(
  name: string,
  prepare: (org: BenchOrganization, server: MilepostServer) => Promise<Prepared>,
  { wrappers = [], leadIn = 0.2, attend }: Options = {},
): MilepostContender {
  let last: { state: string; load: Omit<Opened['load'], 'url'> } | undefined
  const openWith = async ({ mileposts }: Workshop, more: WrapperName[]): Promise<Opened> => {
    const server = await mileposts.open({ wrappers: [...wrappers, ...more], state: last?.state })
    if (last === undefined) {
      const org = await BenchOrganization.open(server)
      last = { state: server.state, load: { headers: org.headers, ...(await prepare(org, server)) } }
    }
    const load = { ...last.load, url: server.url }
    const leave = await attend?.(load)
    return {
      load,
      pids: server.pids,
      dispose: async () => {
        await leave?.()
        await server.dispose()
      },
    }
  }
  return { name, leadIn, openWith, open: (workshop) => openWith(workshop, []) }
}
