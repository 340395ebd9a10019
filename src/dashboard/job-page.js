import { call } from './api.js'
import { createCancelDialog } from './cancel-dialog.js'
import { createCopyButton } from './copy-button.js'
import { createDeliveries } from './deliveries.js'
import { element, setAttribute, setText } from './dom.js'
import { createEntryGroups } from './entry-groups.js'
import { formatPercentage } from './format.js'
import { createJobFacts } from './job-facts.js'
import { createJobProgress } from './job-progress.js'
import { createJobProse } from './job-prose.js'
import { createMetadata } from './metadata.js'
import { poll } from './poll.js'
import { createStageTimeline } from './stage-timeline.js'
import { createStatusBadge, isFinished, statusWord } from './status.js'
import { watchJob } from './watch-job.js'

/** @import { Job, Outcome } from './wire.js' */

/**
 * The page of one job, live until the job finishes.
 *
 * @param {string} jobId
 * @param {object} options
 * @param {(outcome: Outcome<unknown>) => void} options.report receives the outcome of each call
 * @param {() => string} options.addressOfList the target of the back link
 * @param {(title: string) => void} options.onTitle receives the window title
 */
export function createJobPage(jobId, { report, addressOfList, onTitle }) {
  /** @type {Job | undefined} */
  let job
  let frame = 0
  let stopped = false
  let ticking = 0
  /** @type {{ stop: () => void } | undefined} */
  let loading
  /** @type {{ stop: () => void } | undefined} */
  let watching

  const title = element('h1', { tabindex: -1 }, 'Job')
  const badge = createStatusBadge()
  const progress = createJobProgress()
  const prose = createJobProse()
  const facts = createJobFacts()
  const stages = createStageTimeline()
  const errors = createEntryGroups('errors', jobId, report)
  const warnings = createEntryGroups('warnings', jobId, report)
  const metadata = createMetadata()
  const deliveries = createDeliveries(jobId, report)
  const origin = element('span')
  const cancelDialog = createCancelDialog(jobId, { onCanceled: apply, onFinished: () => load() })
  const cancel = element(
    'button',
    { type: 'button', class: 'button-danger', click: cancelDialog.open },
    'Cancel job',
  )
  // Announces each change of status. The numbers change ten times a second, too often to announce.
  const spoken = element('p', { class: 'visually-hidden', role: 'status' })
  const content = element(
    'div',
    { hidden: true },
    progress.node,
    prose.node,
    facts.node,
    element(
      'div',
      { class: 'columns' },
      element('div', {}, errors.node, warnings.node),
      element('div', {}, stages.node, deliveries.node, metadata.node),
    ),
  )
  const missing = element('p', { hidden: true }, 'There is no such job in your organization.')
  const node = element(
    'article',
    { class: 'job' },
    element('a', { class: 'back', href: addressOfList() }, '← All jobs'),
    element('div', { class: 'page-head' }, title, badge.node, cancel),
    element(
      'p',
      { class: 'job-id' },
      element(
        'span',
        {},
        element('code', {}, jobId),
        createCopyButton('the id of the job', () => jobId),
      ),
      origin,
    ),
    spoken,
    missing,
    content,
    cancelDialog.node,
  )
  setAttribute(cancel, 'hidden', true)

  /** Polls until the first reply. After that, the event stream brings updates. */
  function load() {
    if (stopped) return
    loading?.stop()
    const polling = poll(async (signal) => {
      /** @type {Outcome<Job>} */
      const outcome = await call(`/api/jobs/${encodeURIComponent(jobId)}`, { signal })
      setAttribute(missing, 'hidden', outcome.ok || outcome.reason !== 'missing' || job !== undefined)
      if (outcome.ok || outcome.reason !== 'missing') report(outcome)
      if (!outcome.ok) return outcome
      polling.stop()
      apply(outcome.body)
      return outcome
    }, 5)
    loading = polling
  }

  /** Ignores replies that arrive after the user left the page. @param {Job} next */
  function apply(next) {
    if (stopped) return
    const before = job
    // Events omit unchanged fields.
    job = before === undefined ? next : { ...before, ...next }
    if (before !== undefined && before.status !== job.status)
      setText(spoken, `The job is now: ${statusWord(job.status)}`)
    if (before === undefined && !isFinished(job)) {
      watching = watchJob(jobId, { onJob: apply, onFinished: load, onConnection: report })
    }
    // Redraw once per frame, however fast updates arrive. Hidden pages get no frames.
    if (frame === 0) frame = requestAnimationFrame(show)
  }

  function show() {
    frame = 0
    if (job === undefined) return
    setText(title, job.job_type)
    badge.show(job.status)
    progress.show(job)
    prose.show(job)
    facts.show(job)
    stages.show(job)
    errors.show(job.error_count, job)
    warnings.show(job.warning_count, job)
    metadata.show(job.metadata ?? null)
    deliveries.show(job)
    setText(origin, job.triggered_by === null ? '' : `Triggered by ${job.triggered_by}`)
    if (cancel === document.activeElement && isFinished(job)) title.focus({ preventScroll: true })
    setAttribute(cancel, 'hidden', isFinished(job))
    if (isFinished(job)) cancelDialog.close()
    setAttribute(content, 'hidden', false)
    onTitle(isFinished(job) ? job.job_type : `${formatPercentage(job.progress_percentage)} ${job.job_type}`)
  }

  return {
    node,
    title,
    start() {
      load()
      ticking = setInterval(facts.tick, 1_000)
    },
    stop() {
      stopped = true
      loading?.stop()
      watching?.stop()
      errors.stop()
      warnings.stop()
      deliveries.stop()
      clearInterval(ticking)
      cancelAnimationFrame(frame)
    },
  }
}
