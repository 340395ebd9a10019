import { arrange, element, setAttribute, setText } from './dom.js'
import { formatDuration, formatTimeWithSeconds, formatWholeTime } from './format.js'
import { isFinished, statusWord } from './status.js'

/** @import { Job, Stage } from './wire.js' */

/** The stages of a job, each with its start time and duration. */
export function createStageTimeline() {
  const list = element('ol', { class: 'timeline' })
  const node = element(
    'section',
    { 'aria-labelledby': 'stages-title', hidden: true },
    element('h2', { id: 'stages-title' }, 'Stages'),
    list,
  )
  /** @type {Map<string, ReturnType<typeof createStep>>} */
  let steps = new Map()

  /** @param {Job} job */
  function show(job) {
    const stages = job.stages ?? []
    const ended = isFinished(job) && job.completed_at !== null
    const end = ended ? { stage: statusWord(job.status), started_at: job.completed_at ?? '' } : null
    const shown = [...stages, ...(end === null ? [] : [end])]
    const kept = new Map()
    for (const [index, stage] of shown.entries()) {
      const key = `${stage.started_at} ${stage.stage}`
      const step = steps.get(key) ?? createStep(stage)
      const next = shown[index + 1]
      step.show({
        lasted: next === undefined ? '' : formatDuration(secondsBetween(stage, next)),
        place: stage === end ? 'end' : next === undefined ? 'now' : 'past',
        status: stage === end ? job.status : '',
      })
      kept.set(key, step)
    }
    steps = kept
    arrange(
      list,
      [...steps.values()].map((step) => step.node),
    )
    setAttribute(node, 'hidden', stages.length === 0)
  }

  return { node, show }
}

/** @param {Stage} stage */
function createStep({ stage, started_at }) {
  const time = new Date(started_at)
  const lasted = element('span', { class: 'lasted' })
  const node = element(
    'li',
    { class: 'step' },
    element('span', { class: 'stage-name' }, stage),
    element('time', { datetime: started_at, title: formatWholeTime(time) }, formatTimeWithSeconds(time)),
    lasted,
  )
  return {
    node,
    /** @param {{ lasted: string, place: 'past' | 'now' | 'end', status: string }} state */
    show({ lasted: text, place, status }) {
      setText(lasted, text)
      setAttribute(node, 'data-place', place)
      setAttribute(node, 'data-status', status || null)
      setAttribute(node, 'aria-current', place === 'now' ? 'step' : null)
    },
  }
}

/** @param {Stage} from @param {Stage} to */
function secondsBetween(from, to) {
  return Math.max(0, Date.parse(to.started_at) - Date.parse(from.started_at)) / 1_000
}
