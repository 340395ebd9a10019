/** Loaded into wrangler before wrangler itself: what comes by standard input becomes its `--command`, which `ps` does not show. */
import { readFileSync } from 'node:fs'

process.argv.push(`--command=${readFileSync(0, 'utf8')}`)
