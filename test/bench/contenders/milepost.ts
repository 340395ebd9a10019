import { BenchOrganization } from '../bench-organization.ts'
import type { WrapperName } from '../servers/build-milepost.ts'
import type { MilepostServer } from '../servers/open-milepost.ts'
import type { Contender, Opened } from './contender.ts'

/** The requests of a case, and what ends with it. */
export type Prepared = Omit<Opened['load'], 'url' | 'headers'> & {
  headers?: Record<string, string>
  close?: () => Promise<void>
}

/** Makes the jobs that a case needs. */
export type Prepare = (org: BenchOrganization, server: MilepostServer) => Promise<Prepared>

export interface MilepostContender extends Contender {
  /** The same with more wrappers around Milepost. */
  wrapped: (wrappers: WrapperName[]) => Contender
}

/** Milepost itself, prepared for one case. */
export function milepost(
  name: string,
  prepare: Prepare,
  { wrappers = [], leadIn = 0.2 }: { wrappers?: WrapperName[]; leadIn?: number } = {},
): MilepostContender {
  return {
    name,
    leadIn,
    wrapped: (more) => milepost(name, prepare, { wrappers: [...wrappers, ...more], leadIn }),
    async open({ mileposts }) {
      const server = await mileposts.open({ wrappers })
      const org = await BenchOrganization.open(server)
      const { close, ...load } = await prepare(org, server)
      return {
        load: { headers: org.headers, ...load, url: server.url },
        pids: server.pids,
        dispose: async () => {
          await close?.()
          await server.dispose()
        },
      }
    },
  }
}
