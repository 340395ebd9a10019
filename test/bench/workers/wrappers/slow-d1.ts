import { isD1, replaceBindings, type Wrapper } from '../wrap.ts'
import { wrapD1 } from '../wrap-d1.ts'

/** How much longer each call to D1 takes, in ms. */
const DELAY_MS = 30

/** Makes D1 as slow as a distant one. */
export const wrapper: Wrapper = {
  env: (env) =>
    replaceBindings(env, isD1, (database) =>
      wrapD1(database, async (_call, run) => {
        await new Promise((resolve) => setTimeout(resolve, DELAY_MS))
        return await run()
      }),
    ),
}
