import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { NoKeyError, UsageError } from './usage-error.ts'

interface Profile {
  url?: string
  key?: string
  organizationId?: string
}

type Environment = Record<string, string | undefined>

/** Where profiles are: `$XDG_CONFIG_HOME/milepost/profiles.json`, by default in `~/.config`. */
function profilesPath(environment: Environment): string {
  const { XDG_CONFIG_HOME: config } = environment
  return join(config || join(homedir(), '.config'), 'milepost', 'profiles.json')
}

/**
 * Reads a profile. Throws a UsageError if there is none of that name or the file is not as it should be. `warn` is told if others
 * on the machine can read the file.
 */
export function readProfile(name: string, environment: Environment, warn: (text: string) => void): Profile {
  const path = profilesPath(environment)
  const profiles = readObject(path)
  // On Windows, the mode says nothing about who may read.
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
    warn(`${path} has keys and is readable by others: run chmod 600 ${path}`)
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined
  if (!isObject(profile)) throw new UsageError(`There is no profile ${name} in ${path}`)
  const { url, key, organization_id: organizationId } = profile
  for (const [field, value] of Object.entries({ url, key, organization_id: organizationId }))
    if (value !== undefined && typeof value !== 'string')
      throw new UsageError(`${field} of the profile ${name} in ${path} should be a text`)
  if (!key) throw new NoKeyError(`The profile ${name} in ${path} has no key`)
  return { url, key, organizationId } as Profile
}

function readObject(path: string): Record<string, unknown> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  try {
    const profiles: unknown = JSON.parse(text)
    if (isObject(profiles)) return profiles
  } catch {
    // Not passed on: the parser's message quotes the file, and could show a key.
  }
  throw new UsageError(`${path} should be a JSON object: {"NAME": {"url": "…", "key": "…"}}`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
