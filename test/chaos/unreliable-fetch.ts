import type { Fetch } from 'milepost'

/** Shares of the requests. */
const CUT = 0.06
const LOSE = 0.03
const REPEAT = 0.03
/** A request is cut off within this time after it is sent, about as long as an answer takes. */
const LONGEST_CUT_MS = 120

export interface Replays {
  /** Answers that were marked as a replay. */
  replays: number
  /** Replays of an answer that had arrived and was thrown away. */
  ofLostReplies: number
}

/** A request that was answered with 200, and the answer. */
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
  /** Called for a retry whose answer differs from the first one. */
  complain: (complaint: string) => void
  /** Called once for each request that was answered with 200. */
  onAnswer: (request: AnsweredRequest) => void
}

/**
 * The network of one worker. It cuts off requests at random moments, loses replies that arrived, and repeats requests that were
 * already answered. Once a request was answered with 200, every repeat must get the same bytes, marked as a replay.
 */
export function unreliableFetch({ random, stage, replays, complain, onAnswer }: Options): Fetch {
  let answered: { key: string; text: string; lost: boolean } | undefined

  const send: Fetch = async (url, init) => {
    const key = new Headers(init.headers).get('idempotency-key') ?? ''
    stage.inFlight++
    try {
      const response = await fetch(url, init)
      const text = await response.text()
      // An edge that is down does not answer, or answers 503. A 500 is a bug.
      if (response.status === 500) complain(`500: ${text.slice(0, 200)}`)
      if (answered?.key === key) judge(response, text, answered)
      else if (response.ok) {
        // The first attempt may have been applied before it was cut off. In that case its first visible answer is a replay.
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
    // These answers say to try again. They say nothing about the request.
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
      const cut = AbortSignal.timeout(Math.floor(random() * LONGEST_CUT_MS))
      const signal = init.signal ? AbortSignal.any([init.signal, cut]) : cut
      return await send(url, { ...init, signal })
    }
    const response = await send(url, init)
    if (!response.ok) return response
    if (roll < CUT + LOSE) {
      if (answered !== undefined) answered.lost = true
      throw new Error('the reply was lost')
    }
    // The repeat need not be answered. If it is, `judge` has checked the answer.
    if (roll < CUT + LOSE + REPEAT) await send(url, init).catch(() => {})
    return response
  }
}

/** Finds what is wrong with the answer to a repeated request whose first answer was 200 with the text `before`. */
export function findFault(response: Response, text: string, before: string): string | undefined {
  if (!response.ok)
    return `a repeat of a request answered with 200 got ${response.status}: ${text.slice(0, 200)}`
  if (!isReplay(response)) return 'the answer to a repeated request is not marked as a replay'
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
