"""What the API returns."""

from typing import Any, Optional, TypedDict


class Entry(TypedDict):
    """An error or a warning."""

    entity_key: str
    entity_type: str
    error_type: str
    message: str
    step: Optional[str]
    details: Optional[dict[str, Any]]
    timestamp: str


class EntityEntry(Entry):
    """An error or a warning, and the job that reported it."""

    #: `error` or `warning`.
    kind: str
    job_id: str
    job_type: str


class Sample(TypedDict):
    """The newest entry of a type. Each text is cut to 200 characters."""

    entity_type: str
    entity_key: str
    message: str


class EntryGroup(TypedDict):
    """The errors or the warnings of one type. What has been lost is None."""

    error_type: str
    count: int
    first_seen: Optional[str]
    last_seen: Optional[str]
    sample: Optional[Sample]


class EntryGroups(TypedDict):
    """The 100 most frequent types of each, most frequent first, and how many entries are of other types."""

    errors: list[EntryGroup]
    other_errors: int
    warnings: list[EntryGroup]
    other_warnings: int


class ErrorGroup(TypedDict):
    """The errors or the warnings of one type, in a period and in the one before, which is as long."""

    error_type: str
    entries: int
    jobs: int
    previous_entries: int
    previous_jobs: int


class ErrorGroups(TypedDict):
    """The error types across the jobs that finished in a period: the 100 most frequent of each kind."""

    since: str
    until: str
    previous_since: str
    #: Whether the oldest hours were left out, because the periods have too many types.
    is_partial: bool
    errors: list[ErrorGroup]
    other_errors: int
    warnings: list[ErrorGroup]
    other_warnings: int


class Stage(TypedDict):
    stage: str
    started_at: Optional[str]


class Children(TypedDict):
    #: At most 10,000; `is_exact` is False if there are more.
    count: int
    is_exact: bool
    by_status: dict[str, int]
    total_items: int
    processed_items: int
    failed_items: int


class Message(TypedDict):
    """A message that was reported on a job. `seq` is its number among all of them."""

    seq: int
    timestamp: str
    message: str


class HistoryPoint(TypedDict):
    timestamp: str
    processed_items: int
    failed_items: int


class LinkedJob(TypedDict):
    job_id: str
    job_type: str
    status: str


class History(TypedDict):
    """How a job went: at most 200 points from its creation to its newest change or its end, and its newest 50 stages."""

    points: list[HistoryPoint]
    stages: list[Stage]


class JobCount(TypedDict):
    """How many jobs of a type ended in the hour that begins then, in one way."""

    hour: str
    job_type: str
    status: str
    jobs: int


class JobType(TypedDict):
    """How long the newest 100 completed jobs of a type took, and how many items a second they handled. `jobs`: how many they are."""

    job_type: str
    jobs: int
    median_duration_seconds: Optional[float]
    p90_duration_seconds: Optional[float]
    median_rate_per_second: Optional[float]
    p90_rate_per_second: Optional[float]


class JobState(TypedDict, total=False):
    """
    A job. Times are ISO 8601 in UTC; `errors` and `warnings` have the newest 100 of each, and are not in lists and events.
    """

    job_id: str
    job_type: str
    #: `pending`, `in_progress`, `completed`, `completed_with_warnings`, `partial_success`, `failed` or `cancelled`.
    status: str
    total_items: int
    processed_items: int
    failed_items: int
    warned_items: int
    counters: dict[str, int]
    #: 0 to 100
    progress_percentage: float
    #: 0 to 100
    success_rate: float
    metadata: Optional[dict[str, Any]]
    labels: dict[str, str]
    parent_job_id: Optional[str]
    #: Only of a job that was read alone: its children counted, and the jobs whose metadata has it as `import_job_id`.
    children: Optional[Children]
    linked_from: Optional[list[LinkedJob]]
    triggered_by: Optional[str]
    callback_url: Optional[str]
    error_message: Optional[str]
    created_at: Optional[str]
    started_at: Optional[str]
    completed_at: Optional[str]
    duration_seconds: Optional[float]
    eta_seconds: Optional[float]
    rate_per_second: Optional[float]
    stall_after_seconds: Optional[int]
    stalled_at: Optional[str]
    start_within_seconds: Optional[int]
    finish_within_seconds: Optional[int]
    late_at: Optional[str]
    stages: list[Stage]
    error_count: int
    warning_count: int
    entry_bytes: int
    entries_not_kept: int
    entities_not_kept: int
    errors: list[Entry]
    warnings: list[Entry]
