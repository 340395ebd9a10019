import type { Job } from './job.ts'

interface Callbacks {
  onProblem: (problem: Error) => void
  onProgress: (job: Job) => void
}

/** What a job's reporter tells the worker. A callback that throws, or whose promise rejects, must not end the worker. */
export class Listeners {
  readonly #callbacks: Callbacks

  constructor(callbacks: Callbacks) {
    this.#callbacks = callbacks
  }

  tellProblem(problem: unknown): void {
    call(this.#callbacks.onProblem, toError(problem), (error) =>
      console.error('milepost: onProblem failed', error),
    )
  }

  tellProgress(job: Job): void {
    call(this.#callbacks.onProgress, job, (error) => this.tellProblem(error))
  }
}

function call<T>(callback: (value: T) => void, value: T, onFailure: (error: unknown) => void): void {
  try {
    // Typed as returning nothing, it may still be an async function.
    const returned: unknown = callback(value)
    Promise.resolve(returned).catch(onFailure)
  } catch (error) {
    onFailure(error)
  }
}

export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
