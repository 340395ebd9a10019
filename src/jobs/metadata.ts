import type { Report } from './apply-report.ts'
import type { JsonObject } from './job.ts'
import { MAX_METADATA_BYTES } from './limits.ts'
import { utf8Bytes } from './utf8-bytes.ts'

/**
 * The metadata after a report: its patch merged key by key at the top level, then its stage and message, which win over
 * a patch of the same key. The same object where nothing changes.
 */
export function mergeMetadata(metadata: JsonObject, report: Report): JsonObject {
  const { metadataPatch, stage, message } = report
  if (metadataPatch === undefined && stage === undefined && message === undefined) return metadata
  // Spreading defines keys and never assigns them, so `__proto__` stays the ordinary key that it is in JSON.
  return {
    ...metadata,
    ...metadataPatch,
    ...(stage !== undefined && { stage }),
    ...(message !== undefined && { last_message: message }),
  }
}

/** Whether a merge would leave more than a job may carry. Metadata that did not change is never weighed again. */
export function isMetadataTooLarge(metadata: JsonObject, before: JsonObject): boolean {
  return metadata !== before && utf8Bytes(JSON.stringify(metadata)) > MAX_METADATA_BYTES
}
