import type { Fetch } from '../../src/client/send-with-retries.ts'

/** Shares of the requests. */
const CUT = 0.06
const LOSE = 0.03
const REPEAT = 0.03
/** When a request is cut off, in ms after it was sent, at the latest: an answer takes about as long. */
const LONGEST_CUT = 120

export interface Replays {
  /** Answers that were given again, and said so. */
  replays: number
  /** Of them, those to a retry whose first answer had come and was thrown away. */
  ofLostReplies: number
}

/** A request that was answered 200, and the answer. */
export interface AnsweredRequest {
  url: string
  /** Its Idempotency-Key. */
  key: string
  body: string
  text: string
}

interface Options {
  random: () => number
  stage: { inFlight: number }
  replays: Replays
  /** Told of a retry that was answered differently from what it retries. */
  complain: (complaint: string) => void
  /** Told of each request that was answered 200, once. */
  onAnswer: (request: AnsweredRequest) => void
}

/**
 * The network of one worker. It cuts requests off at a random moment, loses replies that have come, and sends again
 * what was answered already. A request that was answered 200 once has to be answered the same ever after: the same
 * bytes, and marked as a replay.
 */
export function unreliableFetch({ random, stage, replays, complain, onAnswer }: Options): Fetch {
  let answered: { key: string; text: string; lost: boolean } | undefined

  const send: Fetch = async (url, init) => {
    const key = new Headers(init.headers).get('idempotency-key') ?? ''
    stage.inFlight++
    try {
      const response = await fetch(url, init)
      const text = await response.text()
      // An edge that is away answers not at all, or says so with 503: this is a bug.
      if (response.status === 500) complain(`500: ${text.slice(0, 200)}`)
      if (answered?.key === key) judge(response, text, answered)
      else if (response.ok) {
        // A replay of what was applied by a request that was cut off: its answer is seen now for the first time.
        if (isReplay(response)) replays.replays++
        answered = { key, text, lost: false }
        onAnswer({ url, key, body: String(init.body), text })
      }
      const { status, headers } = response
      return new Response(text, { status, headers })
    } finally {
      stage.inFlight--
    }
  }

  const judge = (response: Response, text: string, before: { text: string; lost: boolean }) => {
    // No verdict on what was asked: it says to come again.
    if (response.status === 408 || response.status === 429 || response.status >= 500) return
    const fault = findFault(response, text, before.text)
    if (fault !== undefined) complain(fault)
    else {
      replays.replays++
      if (before.lost) replays.ofLostReplies++
      before.lost = false
    }
  }

  return async (url, init) => {
    const roll = random()
    if (roll < CUT) {
      const cut = AbortSignal.timeout(Math.floor(random() * LONGEST_CUT))
      const signal = init.signal ? AbortSignal.any([init.signal, cut]) : cut
      return await send(url, { ...init, signal })
    }
    const response = await send(url, init)
    if (!response.ok) return response
    if (roll < CUT + LOSE) {
      if (answered !== undefined) answered.lost = true
      throw new Error('the reply got lost')
    }
    // Whether this one is answered at all is of no consequence; if it is, `judge` has looked at it.
    if (roll < CUT + LOSE + REPEAT) await send(url, init).catch(() => {})
    return response
  }
}

/** What is wrong with the answer to a retry of what was answered 200 with `before`. */
export function findFault(response: Response, text: string, before: string): string | undefined {
  if (!response.ok) return `a retry of what was answered 200 got ${response.status}: ${text.slice(0, 200)}`
  if (!isReplay(response)) return 'a retry of what was answered 200 is not marked as a replay'
  return text === before ? undefined : `a replay differs: ${firstDifference(before, text)}`
}

function isReplay(response: Response): boolean {
  return response.headers.get('idempotency-replayed') === 'true'
}

function firstDifference(before: string, after: string): string {
  let at = 0
  while (at < before.length && before[at] === after[at]) at++
  const from = Math.max(0, at - 40)
  return `…${before.slice(from, at + 60)}… became …${after.slice(from, at + 60)}…`
}
