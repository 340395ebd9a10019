"""What can go wrong."""

from typing import Any, Optional


class MilepostError(Exception):
    """Any error of this client."""


class Unreachable(MilepostError):
    """The API gave no usable answer in time. The last attempt may still have been applied."""


class Refused(MilepostError):
    """The API will never accept this request: a wrong key, an invalid field, an unknown job."""

    def __init__(self, status: int, detail: Any, job_status: Optional[str] = None) -> None:
        super().__init__(f"{status} {detail}")
        self.status = status
        #: The reply's `detail`: a sentence, or a list of validation errors.
        self.detail = detail
        #: The status of the job, if the API said it.
        self.job_status = job_status


class JobClosed(MilepostError):
    """The job has ended: someone canceled it, say. Stop working on it."""

    def __init__(self, job_id: str, status: Optional[str]) -> None:
        super().__init__(f"{job_id} is {status or 'closed'}")
        self.job_id = job_id
        #: `cancelled`, `completed`, `failed`, …; None if the API did not say.
        self.status = status


class NotSent(MilepostError):
    """The API has not acknowledged some of what was reported. The text says what, and why."""
