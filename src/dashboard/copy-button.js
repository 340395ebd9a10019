import { element, setText } from './dom.js'

/** How long the button shows the result, in milliseconds. */
const RESULT_SHOWN_MS = 2_000

/** Copies a text. @param {string} what names the text for screen readers @param {() => string} read */
export function createCopyButton(what, read) {
  const word = element('span', {}, 'Copy')
  const hidden = element('span', { class: 'visually-hidden' }, ` ${what}`)
  return element(
    'button',
    {
      type: 'button',
      class: 'button-quiet',
      click: async () => {
        const copied = await navigator.clipboard.writeText(read()).then(
          () => true,
          () => false,
        )
        setText(word, copied ? 'Copied' : 'Select the text and copy it')
        setTimeout(() => setText(word, 'Copy'), RESULT_SHOWN_MS)
      },
    },
    word,
    hidden,
  )
}
