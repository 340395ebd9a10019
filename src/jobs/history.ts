import { isFinished, type Job } from './job.ts'
import { HISTORY_SPACING, MAX_POINTS } from './limits.ts'

/** When, in ms since the epoch, and how many items were processed and had failed by then. */
type Point = [at: number, processedItems: number, failedItems: number]

/** How a job went. */
export interface History {
  /** The least time between two points, in ms, except for the last one. Doubles whenever there are too many. */
  spacing: number
  /** Oldest first: the creation, …, the newest change. */
  points: Point[]
}

/** A history in little room: three numbers a point, the first of them the time since the point before. */
export interface PackedHistory {
  spacing: number
  numbers: number[]
}

export function packHistory({ spacing, points }: History): PackedHistory {
  let previous = 0
  const numbers = points.flatMap(([at, processed, failed]) => {
    const since = at - previous
    previous = at
    return [since, processed, failed]
  })
  return { spacing, numbers }
}

export function unpackHistory({ spacing, numbers }: PackedHistory): History {
  const points: Point[] = []
  for (let place = 0; place < numbers.length; place += 3) {
    const [since = 0, processed = 0, failed = 0] = numbers.slice(place, place + 3)
    points.push([(points.at(-1)?.[0] ?? 0) + since, processed, failed])
  }
  return { spacing, points }
}

/** What is known of the history of a job whose points were not kept: its creation, and its state. */
export function knownHistory(job: Job): History {
  const created: History = { spacing: HISTORY_SPACING, points: [[job.createdAt, 0, 0]] }
  return job.revision === 1 ? created : added(created, pointOf(job, job.updatedAt))
}

/** The history after a change at `now` (ms since the epoch); the same one if the change is none of the job's course. */
export function withPoint(history: History, before: Job, after: Job, now: number): History {
  const isSameCount =
    before.processedItems === after.processedItems && before.failedItems === after.failedItems
  // A finished job changes once more with its final report, but also with each delivery.
  return isFinished(before.status) && isSameCount ? history : added(history, pointOf(after, now))
}

/** A finished job has no point after its end. */
function pointOf({ completedAt, processedItems, failedItems }: Job, now: number): Point {
  return [completedAt ?? now, processedItems, failedItems]
}

function added({ spacing, points }: History, point: Point): History {
  const [at] = point
  const kept = points.filter((earlier, place) => place === 0 || earlier[0] < at)
  const [first, ...others] = kept
  if (first === undefined) return { spacing, points: [point] }
  // The clock may have been set back: then nothing was earlier than this.
  const start: Point = first[0] > at ? [at, first[1], first[2]] : first
  // The last point stands for now. It stays for good only if it is far enough from the one before.
  const last = others.at(-1)
  const previous = others.at(-2) ?? start
  if (last !== undefined && last[0] - previous[0] < spacing) others.pop()
  return thinned({ spacing, points: [start, ...others, point] })
}

function thinned({ spacing, points }: History): History {
  let thin = { spacing, points }
  while (thin.points.length > MAX_POINTS) thin = spread(thin.points, thin.spacing * 2)
  return thin
}

/** The first point, the last, and of the others those that are `spacing` apart. */
function spread(points: Point[], spacing: number): History {
  let previous = Number.NEGATIVE_INFINITY
  const kept = points.filter(([at], place) => {
    const stays = at - previous >= spacing || place === points.length - 1
    if (stays) previous = at
    return stays
  })
  return { spacing, points: kept }
}
