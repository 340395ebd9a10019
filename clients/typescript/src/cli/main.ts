#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { cancel } from './cancel.ts'
import type { Command } from './command.ts'
import { create } from './create.ts'
import { describeError } from './describe-error.ts'
import { entity } from './entity.ts'
import { entries } from './entries.ts'
import { EXIT, exitCodeOfError } from './exit-code.ts'
import { get } from './get.ts'
import { list } from './list.ts'
import { say, warn } from './output.ts'
import { run } from './run.ts'
import { types } from './types.ts'
import { UsageError } from './usage-error.ts'
import { watch } from './watch.ts'

const COMMANDS: Record<string, Command> = {
  run,
  watch,
  list,
  get,
  errors: entries('errors'),
  warnings: entries('warnings'),
  entity,
  types,
  create,
  cancel,
}

const HELP = `Usage: milepost COMMAND [OPTIONS] …

${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
  .join('\n')}

  milepost COMMAND --help   says more about a command
  milepost --version        prints the version

MILEPOST_URL and MILEPOST_API_KEY say where the API is and who is calling.
Exit codes: 0 done, 2 wrong usage, 3 not authenticated, 4 forbidden, 5 refused or not ended well, 7 out of time or unreachable.`

async function main(args: string[]): Promise<number> {
  const [name = '', ...rest] = args
  if (name === '--help' || name === '-h' || name === 'help') return print(HELP)
  if (name === '--version') return print(readVersion())
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined) {
    say(name === '' ? HELP : `milepost: Unknown command: ${name}. "milepost --help" lists them`)
    return EXIT.usage
  }
  const end = rest.indexOf('--')
  const own = end === -1 ? rest : rest.slice(0, end)
  if (own.includes('--help') || own.includes('-h')) return print(command.help)
  if (command !== run) endWithReader()
  try {
    return await command.run(rest)
  } catch (error) {
    const more = error instanceof UsageError ? `. "milepost ${name} --help" says more` : ''
    warn(`${describeError(error)}${more}`)
    return exitCodeOfError(error)
  }
}

function print(text: string): number {
  process.stdout.write(`${text}\n`)
  return EXIT.ok
}

/** When nobody reads on, as in `milepost list --json | head -1`, ends like a program that SIGPIPE kills. */
function endWithReader(): void {
  process.stdout.on('error', () => process.exit(128 + 13))
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return version
}

// A terminal that is gone: there is nobody to tell.
process.stderr.on('error', () => {})
// Not `exitCode`: open connections would keep the process for seconds.
process.exit(await main(process.argv.slice(2)))
