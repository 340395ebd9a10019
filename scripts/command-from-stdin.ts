/** Preloaded into wrangler: turns stdin into its `--command` argument, which keeps the statement out of `ps`. */
import { readFileSync } from 'node:fs'

process.argv.push(`--command=${readFileSync(0, 'utf8')}`)
