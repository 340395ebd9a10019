import { isatty } from 'node:tty'
import type { Child } from './start-child.ts'

const FORWARDED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']
/** Ctrl-C and Ctrl-\: the terminal sends them to the child as well. Twice, many programs would give up cleaning up. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT']

/** Passes signals on to the child instead of ending by them. Returns a function that stops this. */
export function forwardSignals(child: Child): () => void {
  const forward = (signal: NodeJS.Signals) => {
    if (!(FROM_TERMINAL.includes(signal) && isOnTerminal())) child.kill(signal)
  }
  for (const signal of FORWARDED) process.on(signal, forward)
  return () => {
    for (const signal of FORWARDED) process.off(signal, forward)
  }
}

function isOnTerminal(): boolean {
  // Not `process.stdin.isTTY`: opening it here would make the child's stdin non-blocking.
  return [0, 1, 2].some((fd) => isatty(fd))
}
