import { MAX_ORGANIZATION_ID } from '../src/jobs/limits.ts'

/** The arguments do not match the usage. The message says where. */
export class UsageError extends Error {}

/** Which databases a command uses. */
export type Place = { where: 'local'; persistTo: string | undefined } | { where: 'remote' }

/** The options of every command, for `parseArgs`. */
export const PLACE_OPTIONS = {
  local: { type: 'boolean' },
  remote: { type: 'boolean' },
  'persist-to': { type: 'string' },
} as const

interface Parsed {
  values: { local?: boolean; remote?: boolean; 'persist-to'?: string }
  positionals: string[]
}

/** Parses arguments and reads what every command has. Throws a UsageError, also for the errors of `parse`. */
export function readArguments<Args extends Parsed>(
  parse: () => Args,
): { values: Args['values']; verb: string | undefined; place: Place } {
  const { values, positionals } = parseOrThrow(parse)
  const [verb, ...rest] = positionals
  if (rest.length > 0) throw new UsageError(`Unexpected argument: ${rest.join(' ')}`)
  if (values.local === values.remote) throw new UsageError('Pass either --local or --remote')
  if (values.remote && values['persist-to'] !== undefined) throw new UsageError('--persist-to needs --local')
  const place: Place = values.remote
    ? { where: 'remote' }
    : { where: 'local', persistTo: values['persist-to'] }
  return { values, verb, place }
}

function parseOrThrow<Args>(parse: () => Args): Args {
  try {
    return parse()
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** The ids that an X-Organization-ID header can carry. */
const ORGANIZATION_ID = new RegExp(`^[\\x21-\\x7e]{1,${MAX_ORGANIZATION_ID}}$`)

/** Throws a UsageError unless these can be ids of organizations. */
export function checkOrganizationIds(ids: string[]): void {
  if (!ids.every((id) => ORGANIZATION_ID.test(id)))
    throw new UsageError(`--org takes 1 to ${MAX_ORGANIZATION_ID} printable ASCII characters, without spaces`)
}

/** Throws a UsageError if there are options that the command does not take. Every command takes --org. */
export function refuseOthers(values: object, known: string[]): void {
  const others = Object.keys(values).filter(
    (name) => ![...Object.keys(PLACE_OPTIONS), 'org', ...known].includes(name),
  )
  if (others.length > 0) throw new UsageError(`This command does not take --${others.join(', --')}`)
}

/** Throws a UsageError that says why the verb is not one of the commands. */
export function refuseVerb(verb: string | undefined): never {
  throw new UsageError(verb === undefined ? 'Pass a command' : `Unknown command: ${verb}`)
}
