import { call } from './api.js'
import { element, setAttribute } from './dom.js'
import { createJobPage } from './job-page.js'
import { createListPage } from './list-page.js'
import { createNotice, explainFailure } from './notice.js'
import { readRoute } from './route.js'
import { forgetCredentials, readKey } from './session.js'
import { createSignIn } from './sign-in.js'

/** @import { Outcome } from './wire.js' */

const main = /** @type {HTMLElement} */ (document.getElementById('main'))
const signOutButton = /** @type {HTMLButtonElement} */ (document.getElementById('sign-out'))
const notice = createNotice()
const place = element('div')
main.replaceChildren(notice.node, place)
signOutButton.addEventListener('click', () => askForKey(''))

/** The list lives as long as the sign-in, so returning to it shows it unchanged. */
let list = createListPage(report)
/** The page on screen; undefined while nobody is signed in.
 * @type {{ title: HTMLElement, stop: () => void, jobId: string, scroll?: number } | undefined} */
let shown
let listScroll = 0
history.scrollRestoration = 'manual'

/** @param {Outcome<unknown>} outcome */
function report(outcome) {
  if (!outcome.ok && outcome.reason === 'signed-out') return askForKey(explainFailure(outcome))
  notice.report(outcome)
}

/** @param {string} reason @param {boolean} [hasSession] a cookie replaces the key; only the organization is missing */
function askForKey(reason, hasSession = false) {
  forgetCredentials()
  shown?.stop()
  shown = undefined
  list = createListPage(report)
  notice.clear()
  const signIn = createSignIn({ reason, hasSession, onSignedIn: () => show() })
  setAttribute(signOutButton, 'hidden', true)
  document.title = 'Sign in – Milepost'
  place.replaceChildren(signIn.node)
  signIn.focus()
}

/** Shows the page for the current address. */
function show() {
  const route = readRoute(location.hash)
  const before = shown
  before?.stop()
  if (before !== undefined && before.jobId === '') listScroll = window.scrollY
  notice.clear()
  setAttribute(signOutButton, 'hidden', readKey() === null)
  if (route.page === 'job') {
    const page = createJobPage(route.jobId, {
      report,
      addressOfList: list.address,
      onTitle: (title) => {
        document.title = `${title} – Milepost`
      },
    })
    shown = { title: page.title, stop: page.stop, jobId: route.jobId }
    document.title = 'Job – Milepost'
    place.replaceChildren(page.node)
    page.start()
    window.scrollTo(0, 0)
    if (before !== undefined) page.title.focus({ preventScroll: true })
  } else {
    shown = { title: list.title, stop: list.stop, jobId: '' }
    document.title = 'Jobs – Milepost'
    place.replaceChildren(list.node)
    list.start(route.filter)
    window.scrollTo(0, listScroll)
    if (before !== undefined) list.focusJob(before.jobId)
  }
}

window.addEventListener('hashchange', () => {
  if (shown !== undefined) show()
})

// Without a key, try the cookie.
if (readKey() === null) {
  const outcome = await call('/api/jobs/?limit=1&metadata=false')
  if (!outcome.ok && outcome.reason === 'signed-out') askForKey('')
  else if (!outcome.ok && outcome.reason === 'which-organization')
    askForKey('You belong to several organizations. Which one?', true)
  else show()
} else {
  show()
}
