import { Milepost } from '../milepost.ts'
import type { MilepostOptions } from '../options.ts'
import { warn } from './output.ts'
import { readProfile } from './profile.ts'
import { NoKeyError, UsageError } from './usage-error.ts'

interface ConnectionArgs {
  url?: string | undefined
  profile?: string | undefined
  organization?: string | undefined
}

/**
 * Makes the client that the arguments and the environment describe. A profile takes the place of the environment as a whole: a
 * key is not sent to the URL of another. Throws a UsageError, or a NoKeyError.
 */
export function openClient(args: ConnectionArgs, options: MilepostOptions = {}): Milepost {
  const { MILEPOST_URL, MILEPOST_API_KEY } = process.env
  const profile =
    args.profile === undefined
      ? { url: MILEPOST_URL, key: MILEPOST_API_KEY, organizationId: undefined }
      : readProfile(args.profile, process.env, warn)
  const url = args.url ?? profile.url
  const organizationId = args.organization ?? profile.organizationId
  if (!url)
    throw new UsageError(
      args.profile === undefined
        ? 'The URL of the API is missing: set MILEPOST_URL, or pass --url or --profile'
        : `The profile ${args.profile} has no url`,
    )
  if (!profile.key?.trim())
    throw new NoKeyError('The key is missing: set MILEPOST_API_KEY, or pass --profile')
  try {
    return new Milepost({
      url,
      key: profile.key,
      ...(organizationId !== undefined && { organizationId }),
      ...options,
    })
  } catch (error) {
    const { message } = error as Error
    throw message.startsWith('The key') ? new NoKeyError(message) : new UsageError(message)
  }
}
