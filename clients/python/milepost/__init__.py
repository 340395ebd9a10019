"""
Reports the progress of a job to a Milepost Jobs API.

    with milepost.job("import", total_items=len(rows)) as job:
        for row in job.track(rows):
            ...

The address and the key come from MILEPOST_URL and MILEPOST_API_KEY; use a Client to give them, or to read jobs.
"""

from collections.abc import Mapping
from typing import Any, Optional

from ._client import Client
from ._errors import JobClosed, MilepostError, NotSent, Refused, Unreachable
from ._http import VERSION as __version__
from ._job import Job
from ._types import Entry, History, JobCount, JobState, JobType, Message

__all__ = [
    "Client",
    "Entry",
    "History",
    "Job",
    "JobClosed",
    "JobCount",
    "JobState",
    "JobType",
    "Message",
    "MilepostError",
    "NotSent",
    "Refused",
    "Unreachable",
    "__version__",
    "job",
    "resume",
]


def job(
    job_type: Optional[str] = None,
    *,
    total_items: Optional[int] = None,
    metadata: Optional[Mapping[str, Any]] = None,
    labels: Optional[Mapping[str, str]] = None,
    parent_job_id: Optional[str] = None,
    triggered_by: Optional[str] = None,
    stall_after_seconds: Optional[int] = None,
    start_within_seconds: Optional[int] = None,
    finish_within_seconds: Optional[int] = None,
    callback_url: Optional[str] = None,
    idempotency_key: Optional[str] = None,
    job_id: Optional[str] = None,
) -> Job:
    """`Client().job(…)`: creates a job, or goes on with one."""
    return Client().job(
        job_type,
        total_items=total_items,
        metadata=metadata,
        labels=labels,
        parent_job_id=parent_job_id,
        triggered_by=triggered_by,
        stall_after_seconds=stall_after_seconds,
        start_within_seconds=start_within_seconds,
        finish_within_seconds=finish_within_seconds,
        callback_url=callback_url,
        idempotency_key=idempotency_key,
        job_id=job_id,
    )


def resume(job_id: str) -> Job:
    """`Client().resume(…)`: goes on with an existing job."""
    return Client().resume(job_id)
