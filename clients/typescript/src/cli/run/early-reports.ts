import type { Report, ReportedEntry } from '../../job.ts'
import { mergeFields } from '../../merge-fields.ts'
import type { Fields } from '../../prepare-report.ts'

/** As many as a job's reporter keeps. */
const MAX_ENTRIES = 10_000
const MAX_CHARACTERS = 4 * 1024 * 1024

/** What a command reports while its job cannot be created yet, merged into one report. Of its stages the last is kept. */
export class EarlyReports {
  readonly #fields: Fields = {}
  readonly #entries: { errors: ReportedEntry[]; warnings: ReportedEntry[] } = { errors: [], warnings: [] }
  #characters = 0
  #dropped = 0

  add({ error, warning, ...fields }: Report): void {
    mergeFields(this.#fields, fields)
    if (error) this.#keep('errors', error)
    if (warning) this.#keep('warnings', warning)
  }

  #keep(kind: 'errors' | 'warnings', entry: ReportedEntry): void {
    const { errors, warnings } = this.#entries
    this.#characters += entry.entityKey.length + entry.errorType.length + entry.message.length
    if (errors.length + warnings.length < MAX_ENTRIES && this.#characters < MAX_CHARACTERS)
      this.#entries[kind].push(entry)
    else this.#dropped++
  }

  /** All of it. */
  toReport(): Report {
    const { errors, warnings } = this.#entries
    const dropped = {
      entityKey: 'milepost run',
      errorType: 'entries_dropped',
      message: `${this.#dropped} errors and warnings are missing: too many came before the job could be created`,
    }
    return { ...this.#fields, errors, warnings: this.#dropped > 0 ? [...warnings, dropped] : warnings }
  }
}
