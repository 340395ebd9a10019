import { element, picture, setAttribute, setText } from './dom.js'

/** @import { FinishedStatus, Job, JobStatus } from './wire.js' */

/**
 * How each status is shown: a word, and a shape that does not rely on color.
 *
 * @type {Record<JobStatus, { word: string, shape: string[] }>}
 */
const STATUSES = {
  pending: { word: 'Pending', shape: ['M8 2.5a5.5 5.5 0 1 1-.01 0Z'] },
  in_progress: { word: 'In progress', shape: ['M8 2.5a5.5 5.5 0 1 1-.01 0Z', 'M8 5v3l2 1.6'] },
  completed: { word: 'Completed', shape: ['M3 8.6 6.4 12 13 4.6'] },
  completed_with_warnings: {
    word: 'Completed with warnings',
    shape: ['M8 2.6 14 13H2Z', 'M8 6.6v3', 'M8 11.2v.1'],
  },
  partial_success: { word: 'Partial success', shape: ['M8 2.5a5.5 5.5 0 1 1-.01 0Z', 'M8 2.5v11', 'M5 4v8'] },
  failed: { word: 'Failed', shape: ['M4 4l8 8', 'M12 4l-8 8'] },
  cancelled: { word: 'Canceled', shape: ['M8 2.5a5.5 5.5 0 1 1-.01 0Z', 'M4.2 11.8l7.6-7.6'] },
}

/** @type {Record<Exclude<JobStatus, FinishedStatus>, true>} */
const LIVE = { pending: true, in_progress: true }

export const STATUS_NAMES = /** @type {JobStatus[]} */ (Object.keys(STATUSES))

/** Returns an unknown status unchanged. @param {string} status */
export function statusWord(status) {
  return isKnown(status) ? STATUSES[status].word : status
}

/** @param {string} status */
export function statusPicture(status) {
  return picture('status-shape', isKnown(status) ? STATUSES[status].shape : STATUSES.pending.shape)
}

/** @param {Pick<Job, 'status'>} job */
export function isFinished({ status }) {
  return !Object.hasOwn(LIVE, status)
}

/** Shows a status as a word, a shape and a color. */
export function createStatusBadge() {
  const word = element('span')
  const node = element('span', { class: 'status' }, word)
  return {
    node,
    /** @param {string} status */
    show(status) {
      if (node.dataset.status === status) return
      setAttribute(node, 'data-status', status)
      setText(word, statusWord(status))
      node.querySelector('svg')?.remove()
      node.prepend(statusPicture(status))
    },
  }
}

/** @param {string} status @returns {status is JobStatus} */
function isKnown(status) {
  return Object.hasOwn(STATUSES, status)
}
