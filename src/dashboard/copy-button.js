import { element, setText } from './dom.js'

/** Milliseconds for which the button says that it did. */
const SAID_FOR = 2_000

/** Copies a text. @param {string} what what it is, for who cannot see what stands beside it @param {() => string} read */
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
        setText(word, copied ? 'Copied' : 'Select it and copy by hand')
        setTimeout(() => setText(word, 'Copy'), SAID_FOR)
      },
    },
    word,
    hidden,
  )
}
