import { createCopyButton } from './copy-button.js'
import { element } from './dom.js'

/** What an empty list shows instead. @param {() => void} onClear clears all filters */
export function createEmptyList(onClear) {
  const call = `curl ${location.origin}/api/jobs/ \\
  -H "Authorization: Bearer $MILEPOST_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"job_type": "product-import", "total_items": 100}'`
  const none = element(
    'div',
    { class: 'empty' },
    element('h2', {}, 'No jobs yet'),
    element('p', {}, 'A worker creates a job with one call, and the job appears here. Try it:'),
    element(
      'div',
      { class: 'code' },
      element('pre', { tabindex: 0, 'aria-label': 'The call that creates a job' }, element('code', {}, call)),
      createCopyButton('the call', () => call),
    ),
    element(
      'p',
      { class: 'quiet' },
      element('code', {}, 'MILEPOST_API_KEY'),
      ' is a key that may create jobs. The worker then reports its progress with a POST to ',
      element('code', {}, '/api/jobs/{job_id}/progress'),
      '.',
    ),
  )
  const noMatch = element(
    'div',
    { class: 'empty' },
    element('h2', {}, 'No matching jobs'),
    element('p', {}, 'These filters may be hiding other jobs.'),
    element('button', { type: 'button', class: 'button', click: onClear }, 'Show all jobs'),
  )
  return { none, noMatch }
}
