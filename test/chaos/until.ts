import { setTimeout as pause } from 'node:timers/promises'

/** Polls until the condition holds. Throws an error that names `what` if it does not hold within `ms`. */
export async function until(
  what: string,
  ms: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + ms
  while (!(await holds())) {
    if (Date.now() >= deadline) throw new Error(`Not within ${ms} ms: ${what}`)
    await pause(20)
  }
}
