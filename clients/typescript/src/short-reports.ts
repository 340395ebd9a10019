import type { Report, ReportedEntry } from './job.ts'

/** The short forms of `report`, for what a worker says most. */
export abstract class ShortReports {
  abstract report(report: Report): void

  /** Starts the job. */
  started(): void {
    this.report({ markStarted: true })
  }

  /** Says how many items are done in all, not counting failed ones. */
  processed(count: number): void {
    this.report({ processedItems: count })
  }

  /** Says that so many more items are done, and adds to counters. Several workers may share a job this way. */
  add(count = 1, counters?: Record<string, number>): void {
    this.report({ processedDelta: count, ...(counters && { counters }) })
  }

  /** Adds to counters of the job's own: `count({ created: 5 })`. */
  count(counters: Record<string, number>): void {
    this.report({ counters })
  }

  /** Sent at once, not at the next turn, unless stages change faster than a few a second. */
  stage(name: string): void {
    this.report({ stage: name })
  }

  /** A line for people. The last one counts. */
  message(text: string): void {
    this.report({ message: text })
  }

  error(entry: ReportedEntry): void {
    this.report({ errors: [entry] })
  }

  warning(entry: ReportedEntry): void {
    this.report({ warnings: [entry] })
  }
}
