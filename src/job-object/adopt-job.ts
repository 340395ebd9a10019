import type { Entry } from '../jobs/job.ts'
import type { Standing } from '../jobs/standing.ts'
import type { Archive } from './archive.ts'
import type { Journal, Journaled } from './journal.ts'

const PAGE = 1_000

/**
 * Journals a live job that only D1 has: one brought in from another system, or whose object's storage was lost. The job
 * itself comes last, so that one half adopted counts as not adopted. Throws where D1 does.
 */
export async function adoptJob(journal: Journal, archive: Archive, found: Journaled): Promise<void> {
  const kept = { error: found.job.keptErrors, warning: found.job.keptWarnings }
  // Errors before warnings: an entity that failed keeps that standing, whatever warnings it has.
  for (const kind of ['error', 'warning'] as const) {
    for (let after = 0; after < kept[kind]; ) {
      const limit = Math.min(PAGE, kept[kind] - after)
      const entries = await archive.page({ kind, after, limit, errorType: null })
      journal.transaction(() => {
        for (const entry of entries) adoptEntry(journal, entry)
      })
      after = entries.at(-1)?.seq ?? kept[kind]
    }
  }
  journal.transaction(() => {
    journal.saveRecorded(found.recorded)
    journal.saveJob(found.key, found.job)
  })
}

function adoptEntry(journal: Journal, entry: Entry): void {
  const { entity_type: entityType, entity_key: entityKey } = JSON.parse(entry.text) as Record<string, string>
  const standing: Standing = entry.kind === 'error' ? 'failed' : 'warned'
  const counts = entityType !== undefined && entityKey !== undefined && entityType !== 'job'
  const isNews = counts && journal.entries.standingOf(entityType, entityKey) !== 'failed'
  journal.entries.append([entry], isNews ? [{ entityType, entityKey, standing }] : [])
}
