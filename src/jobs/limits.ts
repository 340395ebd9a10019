/**
 * Every bound that callers are told: in the description, in docs/limits.md, in the job itself or by a `Link` header.
 * A character is a Unicode code point, a byte one of UTF-8, KB and MB are 1,024 and 1,024² bytes.
 */

/** Bytes of a request's body; */
export const MAX_BODY_BYTES = 1024 * 1024
/** levels of objects and arrays in it, since SQLite's JSON functions take no more than a thousand; */
export const MAX_BODY_DEPTH = 500
/** characters of a name, a stage or a log line in it; */
export const MAX_LINE = 4_096
/** characters of an entry's message, or of the reason why a job failed; */
export const MAX_MESSAGE = 16_384
/** bytes of an entry's details as JSON; */
export const MAX_DETAILS_BYTES = 16 * 1024
/** entries in each list of one report. */
export const MAX_REPORTED_ENTRIES = 500

/** Characters of an `Idempotency-Key`, … */
export const MAX_KEY_LENGTH = 255
/** … and of a callback URL. */
export const MAX_CALLBACK_URL = 2_048
/** Seconds of silence after which a running job may be flagged as stalled. */
export const STALL_SECONDS = { least: 10, most: 86_400 }

/** Bytes of a job's metadata as JSON: it is in every reply and in every row written. */
export const MAX_METADATA_BYTES = 64 * 1024
/** Stages on a job's timeline, the newest, … */
export const MAX_STAGES = 50
/** … and UTF-16 code units of each name: the whole name is in the metadata. */
export const MAX_STAGE_NAME = 200

/** Errors and warnings that a job keeps, both kinds together. Further ones are only counted: `entries_not_kept`. */
export const MAX_ENTRIES = 100_000
/** Entities that a job tells apart, … */
export const MAX_ENTITIES = 100_000
/** … and bytes of their types and keys. Entries about further ones each count as an item: `entities_not_kept`. */
export const MAX_ENTITY_BYTES = 16 * 1024 * 1024

/** The newest entries of each kind that a job is shown with, … */
export const SHOWN_ENTRIES = 100
/** … and bytes of JSON that they take, both kinds together. */
export const SHOWN_ENTRY_BYTES = 256 * 1024

/** Jobs on a page of the list, … */
export const JOB_PAGE = { default: 50, most: 200 }
/** … and entries on a page of a job's errors or warnings. */
export const ENTRY_PAGE = { default: 100, most: 1_000 }
/**
 * Bytes of JSON on a page of jobs, or of its one job. A page of entries ends with the entry by which those looked at
 * reach as many.
 */
export const MAX_PAGE_BYTES = 1024 * 1024
/** Entries that are looked at for a page of a single error type: D1 has to look into the text of each. */
export const MAX_LOOKED_AT = 500

/** Error types that are counted apart in each kind of entry, the first to appear, … */
export const MAX_ERROR_TYPES = 1_000
/** … and bytes of their names. */
export const MAX_ERROR_TYPE_BYTES = 1024 * 1024
/** Error types that a reply names, the most frequent, … */
export const SHOWN_ERROR_TYPES = 100
/** … and bytes of their names. */
export const SHOWN_ERROR_TYPE_BYTES = 128 * 1024

/** Keyed reports of a job that are remembered, the newest, so that a repeat is not applied twice, … */
export const MAX_REPLIES = 1_000
/** … for so many ms, … */
export const REPLY_WINDOW = 24 * 60 * 60 * 1_000
/** … and bytes of what they were answered. Beyond that, a repeat of an old one is answered with the job as it is now. */
export const MAX_REPLY_BYTES = 4 * 1024 * 1024
