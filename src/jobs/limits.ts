/**
 * Every bound on what callers send, what a job keeps, what a reply holds and how often something happens. docs/limits.md
 * tells callers about all of them. How long something may take is defined where the waiting is done, and the size of an
 * internal step where that step is. A character is a Unicode code point; bytes are of UTF-8.
 */

/** Bytes of a request's body. */
export const MAX_BODY_BYTES = 1024 * 1024
/** Levels of objects and arrays in a body: SQLite's JSON functions give up at a thousand. */
export const MAX_BODY_DEPTH = 500
/** Characters of a name, a stage or a log line. */
export const MAX_LINE = 4_096
/** Characters of an entry's message, and of the reason why a job failed. */
export const MAX_MESSAGE = 16_384
/** Bytes of JSON of an entry's details. */
export const MAX_DETAILS_BYTES = 16 * 1024
/** Entries in each list of one report. */
export const MAX_REPORTED_ENTRIES = 500
/** Characters of an `Idempotency-Key`. */
export const MAX_KEY_LENGTH = 255
/** Characters of a callback URL. */
export const MAX_CALLBACK_URL = 2_048
/** Seconds of silence after which a job may ask to be flagged as stalled. */
export const STALL_SECONDS = { least: 10, most: 86_400 }
/** Seconds from its creation within which a job may be asked to start, or to finish: up to 30 days. */
export const DEADLINE_SECONDS = { least: 10, most: 2_592_000 }
/** The largest integer, as a double. Values up to 2^63 - 1 are parsed to it. */
export const MAX_INTEGER = 2 ** 63
/** Characters of an integer that is sent as text. */
export const MAX_INTEGER_TEXT = 4_300
/** Characters of a session's token or JWT. */
export const MAX_SESSION_TOKEN = 4_096
/** Characters of a job's id. The ids made here are shorter, but jobs imported from another system keep theirs. */
export const MAX_JOB_ID = 128
/** Characters of an organization's id. */
export const MAX_ORGANIZATION_ID = 128
/** Characters of the name of a server API key. */
export const MAX_KEY_NAME = 128

/** Labels that a job is created with, and that a list is filtered by. */
export const MAX_LABELS = 16
/** Characters of a label's name, and of its value. */
export const MAX_LABEL_NAME = 64
export const MAX_LABEL_VALUE = 128

/** Bytes of JSON of a job's metadata, which is in every reply and every row written. */
export const MAX_METADATA_BYTES = 64 * 1024
/** Names of counters that a job keeps, and that one report may have. */
export const MAX_COUNTERS = 50
/** Characters of the name of a counter. */
export const MAX_COUNTER_NAME = 64
/** Stages that a job's timeline keeps, the newest. */
export const MAX_STAGES = 50
/** UTF-16 code units of a stage's name in the timeline. Longer names are cut there; the metadata has the whole one. */
export const MAX_STAGE_LENGTH = 200

/** Messages that a job keeps, the newest; and their bytes as JSON. */
export const MAX_LOG_LINES = 200
export const MAX_LOG_BYTES = 256 * 1024

/** Points of a job's history. When there are more, they are thinned. */
export const MAX_POINTS = 200
/** The least time between two of them while the job is young, in ms. */
export const HISTORY_SPACING = 1_000

/** How far back the samples behind a job's rate reach, in ms. */
export const SAMPLE_WINDOW = 5 * 60_000
/** The least time between two samples, in ms: at most 21 are kept, however often a job reports. */
export const SAMPLE_SPACING = 15_000

/**
 * Entries that a job keeps, errors and warnings together. Further ones are only counted: `entries_not_kept`. The setting
 * MAX_ENTRY_BYTES_PER_JOB bounds their bytes.
 */
export const MAX_ENTRIES = 100_000
/** Bytes that a job counts as in D1, besides its entries. */
export const JOB_BYTES = 2_048
/** Entities that a job remembers. Beyond either bound, each report counts an entity again: `entities_not_kept`. */
export const MAX_ENTITIES = 100_000
/** Bytes of their types and keys. */
export const MAX_ENTITY_BYTES = 16 * 1024 * 1024

/** The newest entries of each kind that a reply shows. */
export const SHOWN_ENTRIES = 100
/** Bytes of JSON of the shown entries, both kinds together. */
export const SHOWN_ENTRY_BYTES = 256 * 1024

/** Jobs on a page of the list. */
export const JOB_PAGE = { default: 50, most: 200 }
/** Characters of what a list is searched for. */
export const MAX_SEARCH = 128
/** Different types, labels and linked ids that a search looks at, and ids of jobs: the last in the order of their characters. */
export const MAX_SEARCHED_TERMS = 50
/** Jobs looked at for a page of a search that is narrowed by other filters, which no index serves. */
export const MAX_SEARCHED_JOBS = 500
/** Jobs that a job shows as linked from, the newest. */
export const MAX_LINKED = 20
/** Jobs counted for the total of a list, and children counted for their parent. */
export const MAX_COUNTED = 10_000
/** Entries on a page of a job's errors or warnings. */
export const ENTRY_PAGE = { default: 100, most: 1_000 }
/** Entries on a page about an entity. */
export const ENTITY_PAGE = { default: 50, most: 200 }
/**
 * Bytes of JSON of a page in the list of jobs, unless its first job alone is larger. A page of entries stops scanning
 * at the entry that reaches this bound.
 */
export const MAX_PAGE_BYTES = 1024 * 1024
/** Entries scanned for a page of a single error type: D1 has to parse the text of each. */
export const MAX_SCANNED = 500

/** Days for which jobs stay counted in the statistics. */
export const STATS_DAYS = 90
/** Counts on a page of the statistics. */
export const STATS_PAGE = { default: 1_000, most: 5_000 }
/** Bytes of JSON of the job types on such a page, unless the first alone takes more. */
export const MAX_STATS_BYTES = 1024 * 1024

/** Job types on a page of their usual durations. */
export const JOB_TYPE_PAGE = { default: 10, most: 20 }
/** Completed jobs of a type, the newest, that its usual duration and rate are of. */
export const USUAL_JOBS = 100

/** Error types counted separately for each kind of entry: the first to appear. */
export const MAX_ERROR_TYPES = 1_000
/** Bytes of their names. */
export const MAX_ERROR_TYPE_BYTES = 1024 * 1024
/** Error types that a reply names: the most frequent. */
export const SHOWN_ERROR_TYPES = 100
/** Bytes of JSON of their names. */
export const SHOWN_ERROR_TYPE_BYTES = 128 * 1024
/** The days of a period of `GET /api/error-groups`. */
export const MAX_PERIOD_DAYS = 31
/** Types in an hour that it sums up: beyond these, the oldest hours are left out. */
export const MAX_ERROR_TYPE_HOURS = 100_000
/** The characters of a text in the sample of a group. */
export const MAX_SAMPLE_LENGTH = 200

/** Keyed reports that a job remembers, the newest, so a retry is not applied twice. */
export const MAX_REPLIES = 1_000
/** How long it remembers them, in ms. */
export const REPLY_WINDOW = 24 * 60 * 60 * 1_000
/** Bytes of their replies. Beyond that, a retry of an old report gets the job as it is now. */
export const MAX_REPLY_BYTES = 4 * 1024 * 1024

/** Events a second to one watcher. */
export const MAX_EVENTS_A_WATCHER = 10
/** Events a second to all watchers of a job. With many watchers, each gets fewer, so watching never slows down reports. */
export const MAX_EVENTS_A_JOB = 500

/** Requests that one unit of the rate limiter covers: it is asked once per unit, so the other requests cost nothing. */
export const REQUESTS_A_UNIT = 100
/** What a request for a job that does not exist counts as, in requests: it makes an object, which looks into D1. */
export const MISS_WEIGHT = REQUESTS_A_UNIT
/** What a caller may owe for such misses, in requests. Beyond it, the caller is refused until the limiter grants them. */
export const MAX_MISS_DEBT = 10 * MISS_WEIGHT
/** Misses of a caller in MISS_WINDOW, whatever the limiter says. */
export const MAX_MISSES = 600
/** In ms. */
export const MISS_WINDOW = 60_000

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** The pauses after the first, second, … failed delivery, in ms: about a day in total. The next failure is the last. */
export const DELIVERY_PAUSES = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  8 * HOUR,
  8 * HOUR,
]
/** The longest pause that a receiver may ask for, in ms. */
export const MAX_DELIVERY_PAUSE = 8 * HOUR
