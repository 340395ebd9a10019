import type { Unsent } from './errors.ts'
import { hidesStage, mergeFields, sumUp } from './merge-fields.ts'
import { entryBytes, isEmpty, type Outgoing, writeOutgoing } from './outgoing.ts'
import { type EntryText, MAX_REPORT_BYTES, type PreparedReport, utf8Bytes } from './prepare-report.ts'

/** Entries that wait, those being sent included, and their bytes. Beyond either, the newest are dropped. */
const MAX_WAITING = { entries: 10_000, bytes: 8 * 1024 * 1024 }
/** Entries of each kind in one report that the API takes. */
const MAX_REPORTED_ENTRIES = 500
/** Segments that wait. Beyond it, a new stage takes the place of the newest: the API keeps as many stages. */
const MAX_SEGMENTS = 50

/** Reports that were merged. A stage begins a new one, or it would hide the stage before it. */
interface Segment extends PreparedReport {
  id: number
  isSealed: boolean
}

/**
 * What a job's reporter has not sent yet, and the one report that is being sent. However many calls go in, few reports come out,
 * and applied in order they do what the calls would have done one by one. Pure: it neither sends nor waits.
 */
export class PendingReports {
  readonly #jobId: string
  readonly #segments: Segment[] = []
  #current: Outgoing | undefined
  #newestStage: string | undefined
  #lastId = 0
  #waiting = { entries: 0, bytes: 0 }
  #dropped = 0
  #droppedSaid = 0
  /** Something waits that should not wait for others to join it: a start, a stage or the end of the job. */
  #hasUrgent = false

  constructor(jobId: string) {
    this.#jobId = jobId
  }

  /** How many entries have been dropped so far. */
  get dropped(): number {
    return this.#dropped
  }

  /** The report being sent. It must be acknowledged or refused before the next is taken. */
  get current(): Outgoing | undefined {
    return this.#current
  }

  get isEmpty(): boolean {
    return this.#segments.length === 0
  }

  get isUrgent(): boolean {
    const [first] = this.#segments
    const isFull =
      first !== undefined && Math.max(first.errors.length, first.warnings.length) >= MAX_REPORTED_ENTRIES
    return this.#hasUrgent || isFull || this.#waiting.bytes >= MAX_REPORT_BYTES
  }

  /** Whether a worker that makes entries faster than they can be sent may go on. */
  get hasRoom(): boolean {
    return this.#waiting.entries <= MAX_WAITING.entries / 2 && this.#waiting.bytes <= MAX_WAITING.bytes / 2
  }

  add(report: PreparedReport): void {
    const { fields, errors, warnings, mark } = report
    let last = this.#segments.at(-1)
    const isEndChanged = mark !== undefined && last?.mark !== undefined
    const mustSplit =
      last !== undefined &&
      !isEndChanged &&
      (last.isSealed || (hidesStage(last.fields, fields) && this.#segments.length < MAX_SEGMENTS))
    if (last === undefined || mustSplit) {
      last = { id: ++this.#lastId, isSealed: false, fields: {}, errors: [], warnings: [] }
      this.#segments.push(last)
    }
    const isNewStage = fields.stage !== undefined && fields.stage !== this.#newestStage
    if (fields.stage !== undefined) this.#newestStage = fields.stage
    if (fields.markStarted || isNewStage || mark !== undefined) this.#hasUrgent = true
    mergeFields(last.fields, fields)
    for (const entry of errors) if (this.#hold(entry)) last.errors.push(entry)
    for (const entry of warnings) if (this.#hold(entry)) last.warnings.push(entry)
    if (mark !== undefined) last.mark = mark
  }

  #hold({ bytes }: EntryText): boolean {
    if (this.#waiting.entries >= MAX_WAITING.entries || this.#waiting.bytes + bytes > MAX_WAITING.bytes) {
      this.#dropped++
      return false
    }
    this.#waiting.entries++
    this.#waiting.bytes += bytes
    return true
  }

  /** Ends the newest segment: what is added later goes into another. Returns the ID for `isSettled`. */
  seal(): number {
    const last = this.#segments.at(-1)
    if (last === undefined) return this.#current?.segment ?? this.#lastId
    if (this.#segments.length < MAX_SEGMENTS) last.isSealed = true
    return last.id
  }

  /** Whether everything up to the end of this segment was acknowledged or refused. */
  isSettled(segment: number): boolean {
    return segment < (this.#current?.segment ?? this.#segments[0]?.id ?? Number.POSITIVE_INFINITY)
  }

  /** Makes the next report the current one. There must be no current one. */
  take(key: string): Outgoing | undefined {
    const [segment] = this.#segments
    if (segment === undefined) return undefined
    const { id, fields, mark } = segment
    // Room for the entry that says how many were dropped.
    const most = MAX_REPORTED_ENTRIES - (this.#dropped > this.#droppedSaid ? 1 : 0)
    let room = MAX_REPORT_BYTES - utf8Bytes(writeOutgoing({ fields, errors: [], warnings: [] }))
    const cut = (entries: EntryText[]) => {
      let count = 0
      for (const { bytes } of entries.slice(0, most)) {
        if (bytes > room) break
        room -= bytes
        count++
      }
      return entries.splice(0, count)
    }
    const current: Outgoing = {
      key,
      segment: id,
      fields,
      errors: cut(segment.errors),
      warnings: cut(segment.warnings),
    }
    segment.fields = {}
    if (segment.errors.length + segment.warnings.length === 0) {
      this.#segments.shift()
      if (mark !== undefined) {
        current.mark = mark
        this.#mentionDropped(current)
      }
    }
    if (this.#segments.length === 0) this.#hasUrgent = false
    this.#current = current
    return current
  }

  #mentionDropped(report: PreparedReport): void {
    if (this.#dropped === this.#droppedSaid) return
    this.#droppedSaid = this.#dropped
    const json = JSON.stringify({
      entity_type: 'job',
      entity_key: this.#jobId,
      error_type: 'entries_dropped',
      message: `${this.#dropped} errors and warnings are missing: too many were waiting to be sent`,
    })
    // Not held: `#release` gives back what it takes.
    const entry = { json, bytes: utf8Bytes(json) }
    this.#waiting.entries++
    this.#waiting.bytes += entry.bytes
    report.warnings.push(entry)
  }

  /** The current report has been acknowledged, or refused as a whole. */
  settle(): void {
    if (this.#current !== undefined) this.#release(this.#current)
    this.#current = undefined
  }

  /** Part of the current report was refused. The rest becomes the current one, under a key of its own. */
  keep(rest: PreparedReport, key: string): void {
    const { current } = this
    if (current === undefined) return
    this.#release(current)
    this.#current = { ...rest, key, segment: current.segment }
    this.#waiting.entries += rest.errors.length + rest.warnings.length
    this.#waiting.bytes += entryBytes(rest.errors) + entryBytes(rest.warnings)
  }

  #release({ errors, warnings }: PreparedReport): void {
    this.#waiting.entries -= errors.length + warnings.length
    this.#waiting.bytes -= entryBytes(errors) + entryBytes(warnings)
  }

  /**
   * Makes one report without marks of everything there is, and makes it the current one, if there is anything. What does not fit
   * stays behind: see `unsent`.
   */
  takeFinal(key: string): void {
    const all: Segment = { id: ++this.#lastId, isSealed: true, fields: {}, errors: [], warnings: [] }
    for (const { fields, errors, warnings } of [
      ...(this.#current ? [this.#current] : []),
      ...this.#segments,
    ]) {
      mergeFields(all.fields, fields)
      all.errors.push(...errors)
      all.warnings.push(...warnings)
    }
    delete all.fields.markStarted
    this.#current = undefined
    this.#segments.splice(0)
    if (this.#dropped > this.#droppedSaid) this.#mentionDropped(all)
    if (isEmpty(all)) return
    this.#segments.push(all)
    this.take(key)
  }

  /** What is neither acknowledged nor refused. */
  unsent(): Unsent {
    return sumUp([...(this.#current ? [this.#current] : []), ...this.#segments])
  }
}
