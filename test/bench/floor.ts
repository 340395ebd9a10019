import { DurableObject } from 'cloudflare:workers'

/**
 * The benchmark's floor: the least that any edge must do to acknowledge a report from an object's own disk. One object call and
 * one row written, with no credential, no validation, no job and no D1.
 */
export class JobObject extends DurableObject {
  #count = 0

  keep(text: string): number {
    this.#count++
    this.ctx.storage.kv.put('last', text)
    return this.#count
  }
}

interface Env {
  JOBS: DurableObjectNamespace<JobObject>
}

export default {
  async fetch(request, env) {
    const object = env.JOBS.getByName(new URL(request.url).pathname)
    return Response.json({ count: await object.keep(await request.text()) })
  },
} satisfies ExportedHandler<Env>
