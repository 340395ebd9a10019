/** Builds the pages under `/docs` into `build/site`. `npm ci`, `npm start`, the tests and wrangler run it by themselves. */
import { buildSite } from './docs/build-site.ts'

await buildSite()
