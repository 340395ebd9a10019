import type { Run } from '../run.ts'

/** Kills the recorder while records wait in it. Their jobs must bring them again. */
export async function killRecorder({ stage, injected }: Run): Promise<void> {
  if (await stage.command({ do: 'kill recorder' })) injected.recorderKills++
}
