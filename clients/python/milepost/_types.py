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


class Stage(TypedDict):
    stage: str
    started_at: Optional[str]


class Message(TypedDict):
    """A message that was reported on a job. `seq` is its number among all of them."""

    seq: int
    timestamp: str
    message: str


class HistoryPoint(TypedDict):
    timestamp: str
    processed_items: int
    failed_items: int


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
    stages: list[Stage]
    error_count: int
    warning_count: int
    entry_bytes: int
    entries_not_kept: int
    entities_not_kept: int
    errors: list[Entry]
    warnings: list[Entry]
