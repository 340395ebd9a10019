/** Every bound on one job. Callers are told of each: in /openapi.json, in the job itself, or by a `Link` header. */

/** Errors and warnings that a job keeps, both kinds together. Further ones are only counted: `entries_not_kept`. */
export const MAX_ENTRIES = 100_000

/** Entities that a job tells apart, … */
export const MAX_ENTITIES = 100_000
/** … and bytes of their types and keys. Entries about further ones each count as an item: `entities_not_kept`. */
export const MAX_ENTITY_BYTES = 16 * 1024 * 1024

/** The newest entries of each kind that a job is shown with, … */
export const SHOWN_ENTRIES = 100
/** … and the bytes of JSON that they may take, both kinds together. */
export const SHOWN_ENTRY_BYTES = 256 * 1024

/** Entries that are looked at for a page of a single error type: D1 has to look into the text of each. */
export const MAX_SCANNED = 500
/**
 * Bytes of JSON that a page of the list of jobs takes at most, or its one job. The entries that are looked at for a page
 * end with the one by which they reach as many.
 */
export const MAX_PAGE_BYTES = 1024 * 1024

/** Error types that are counted apart in each kind of entry, the first to appear, … */
export const MAX_ERROR_TYPES = 1_000
/** … and the bytes of their names. */
export const MAX_ERROR_TYPE_BYTES = 1024 * 1024
/** Error types that a reply names, the most frequent, … */
export const SHOWN_ERROR_TYPES = 100
/** … and the bytes of their names. */
export const SHOWN_ERROR_TYPE_BYTES = 128 * 1024

/** Keyed reports of a job that are remembered, the newest, so that a retry is not applied twice, … */
export const MAX_REPLIES = 1_000
/** … for so many ms, … */
export const REPLY_WINDOW = 24 * 60 * 60 * 1_000
/** … and the bytes of what they were answered. Beyond it a retry of an old one is answered with the job as it is now. */
export const MAX_REPLY_BYTES = 4 * 1024 * 1024

/** Bytes of JSON that a job's metadata may take: it is in every reply and in every row written. */
export const MAX_METADATA_BYTES = 64 * 1024
