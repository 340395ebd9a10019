import { constants } from 'node:os'

const REASONS = { SIGINT: 'the worker was interrupted', SIGTERM: 'the worker was told to stop' }

/** How long the process may take to end by itself after `end`. */
const LINGER_MS = 200

/**
 * Aborts `signal` on the first SIGINT or SIGTERM. A second signal of either kind ends the process immediately, even if the event
 * loop is busy.
 *
 * `end` sets the exit code. After a signal, it replaces a code other than 0 by 128 + the signal's number, as shells do.
 */
export function stopOnSignal(): { signal: AbortSignal; end(code: number): void } {
  const stop = new AbortController()
  let received: keyof typeof REASONS | undefined

  const receive = (name: keyof typeof REASONS) => {
    received = name
    process.off('SIGINT', receive)
    process.off('SIGTERM', receive)
    stop.abort(new Error(REASONS[name]))
  }
  process.on('SIGINT', receive)
  process.on('SIGTERM', receive)

  return {
    signal: stop.signal,
    end(code) {
      process.exitCode = code
      if (received === undefined) return
      if (code !== 0) process.exitCode = 128 + constants.signals[received]
      // A DNS lookup or a read from a pipe cannot be aborted, and even process.exit() waits for its thread.
      const ownSignal = received
      setTimeout(() => process.kill(process.pid, ownSignal), LINGER_MS).unref()
    },
  }
}
