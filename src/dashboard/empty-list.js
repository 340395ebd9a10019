import { createCopyButton } from './copy-button.js'
import { element } from './dom.js'

/** What stands in place of a list that holds nothing. @param {() => void} onClear takes all filters away */
export function createEmptyList(onClear) {
  const call = `curl ${location.origin}/api/jobs/ \\
  -H "Authorization: Bearer $MILEPOST_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"job_type": "product-import", "total_items": 100}'`
  const none = element(
    'div',
    { class: 'empty' },
    element('h2', {}, 'No jobs yet'),
    element('p', {}, 'A worker creates a job with one call, and it appears here by itself. Try it:'),
    element(
      'div',
      { class: 'code' },
      element('pre', { tabindex: 0, 'aria-label': 'The call that creates a job' }, element('code', {}, call)),
      createCopyButton('the call', () => call),
    ),
    element(
      'p',
      { class: 'quiet' },
      element('code', {}, 'MILEPOST_KEY'),
      ' is a key that may create jobs. From then on, the worker reports with one POST to ',
      element('code', {}, '/api/jobs/{job_id}/progress'),
      '.',
    ),
  )
  const noMatch = element(
    'div',
    { class: 'empty' },
    element('h2', {}, 'No job matches'),
    element('p', {}, 'There may be others that these filters leave out.'),
    element('button', { type: 'button', class: 'button', click: onClear }, 'Show all jobs'),
  )
  return { none, noMatch }
}
