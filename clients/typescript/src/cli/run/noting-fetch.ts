import { describeFailure, isTemporary } from '../../attempt.ts'
import type { Fetch } from '../../options.ts'

/** A fetch that remembers why its last request has to be repeated. */
export function notingFetch(): { fetch: Fetch; lastFailure: () => string } {
  let reason = 'there is no reply yet'
  return {
    lastFailure: () => reason,
    async fetch(url, init) {
      try {
        const response = await fetch(url, init)
        if (isTemporary(response.status)) reason = `the API answered ${response.status}`
        return response
      } catch (error) {
        reason = describeFailure(error)
        throw error
      }
    },
  }
}
