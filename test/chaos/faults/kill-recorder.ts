import type { Tenant } from '../edge-commands.ts'
import type { Run } from '../run.ts'
import { until } from '../until.ts'

/** How long it may take until a record is under way. */
const TIMEOUT_MS = 60_000

/** Kills the recorder of a tenant's database while records are under way in it. Their jobs must send them again. */
export async function killRecorder({ stage, injectedInto }: Run, { database }: Tenant): Promise<void> {
  await until('a recorder is killed', TIMEOUT_MS, () => stage.command({ do: 'kill recorder', database }))
  injectedInto[database].recorderKills++
}
