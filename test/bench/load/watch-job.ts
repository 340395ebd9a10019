import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** Opens `count` watchers of a job in a process of their own. Resolves to a function that closes them. */
export async function watchJob(
  url: string,
  authorization: string,
  count: number,
): Promise<() => Promise<void>> {
  const child = fork(join(import.meta.dirname, 'watch-process.ts'), [url, authorization, String(count)])
  const exit = once(child, 'exit')
  await Promise.race([
    once(child, 'message'),
    exit.then(([code]) => Promise.reject(new Error(`The watchers ended with ${code}`))),
  ])
  return async () => {
    child.kill()
    await exit
  }
}
