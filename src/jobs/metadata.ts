import type { JsonObject, Report } from './job.ts'
import { MAX_METADATA_BYTES } from './limits.ts'
import { utf8Bytes } from './utf8-bytes.ts'

/**
 * The metadata after a report: its patch merged key by key at the top level, then its stage and message, which win over
 * a patch of the same key. The same object if nothing changes.
 */
export function mergeMetadata(metadata: JsonObject, report: Report): JsonObject {
  const { metadataPatch, stage, message } = report
  if (metadataPatch === undefined && stage === undefined && message === undefined) return metadata
  // Spreading defines keys instead of assigning them, so `__proto__` stays an ordinary key.
  return {
    ...metadata,
    ...metadataPatch,
    ...(stage !== undefined && { stage }),
    ...(message !== undefined && { last_message: message }),
  }
}

/** Whether merged metadata exceeds the bound. Unchanged metadata is not measured again. */
export function isMetadataTooLarge(metadata: JsonObject, before: JsonObject): boolean {
  return metadata !== before && utf8Bytes(JSON.stringify(metadata)) > MAX_METADATA_BYTES
}
