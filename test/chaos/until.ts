import { setTimeout as pause } from 'node:timers/promises'

/** Asks again and again until the answer is a yes; throws, naming `what`, where it is none within `ms`. */
export async function until(what: string, ms: number, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + ms
  while (!(await isSo())) {
    if (Date.now() >= deadline) throw new Error(`Not within ${ms} ms: ${what}`)
    await pause(20)
  }
}
