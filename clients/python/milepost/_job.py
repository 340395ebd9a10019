"""A job, as its worker sees it."""

import operator
import threading
import traceback
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Optional, TypeVar

from ._exit import Terminated
from ._report import (
    MAX_COUNT,
    MAX_COUNTER_NAME,
    MAX_COUNTERS,
    MAX_LINE,
    MAX_MESSAGE,
    Report,
    as_text,
    cut,
    encode_entry,
    to_json,
)
from ._sender import Sender
from ._types import JobState

Row = TypeVar("Row")


class Job:
    """
    Reports on one job. Its methods only note what to send and return at once; a thread sends it, a few requests a second. They
    may be called from any thread, and do not raise because of the network or the API, unless the client is strict.

    As a context manager it starts the job, and completes it at the end; an exception fails it, and goes on.
    """

    def __init__(self, sender: Sender, strict: bool) -> None:
        self._sender = sender
        self._strict = strict
        self._counters: set[str] = set()
        self._failures = threading.local()

    @property
    def id(self) -> str:
        return self._sender.job_id

    @property
    def state(self) -> JobState:
        """The job as the API last acknowledged it."""
        state: JobState = self._sender.state
        return state

    @property
    def closed(self) -> bool:
        """Whether reports are no longer sent: it has ended, here or elsewhere, or the API refuses it."""
        return self._sender.outbox.closed is not None or not self._sender.outbox.is_open

    @property
    def cancelled(self) -> bool:
        """Whether someone canceled it. A worker learns that from the reply to its next report."""
        closed = self._sender.outbox.closed
        return closed is not None and closed.status == "cancelled"

    @property
    def dropped(self) -> int:
        """How many errors and warnings could not be sent."""
        return self._sender.outbox.dropped

    def raise_if_closed(self) -> None:
        """Raises JobClosed if someone else has ended the job. Call it where the work can stop."""
        if self._sender.outbox.closed is not None:
            raise self._sender.outbox.closed

    # Progress

    def start(self) -> None:
        """Marks it started. Not needed with `with`, and harmless twice."""
        self._put(Report(mark_started=True))

    def total(self, n: int) -> None:
        """Says how many items there are."""
        if self._is_count("total", n):
            self._put(Report(total_items=operator.index(n)))

    def processed(self, n: int) -> None:
        """Says how many items are done so far, not counting those that failed."""
        if self._is_count("processed", n):
            self._put(Report(processed_items=operator.index(n)))

    def add(self, n: int = 1, /, **counters: int) -> None:
        """Counts `n` more items as done, and adds to the counters: `job.add(1, created=1)`."""
        if self._is_count("add", n):
            self._put(Report(processed_delta=operator.index(n), counters=self._checked(counters)))

    def count(self, **counters: int) -> None:
        """Adds to counters of your own, such as `created=5`. A job keeps 50 of them."""
        self._put(Report(counters=self._checked(counters)))

    def stage(self, name: str) -> None:
        """Begins a stage. It is sent at once."""
        self._put(Report(stage=cut(name, MAX_LINE)))

    def message(self, text: str) -> None:
        """Says what is going on, for people. Only the last of several in a row is kept."""
        self._put(Report(message=cut(text, MAX_LINE)))

    def metadata(self, values: Mapping[str, Any]) -> None:
        """Sets keys of the job's metadata, which may take 64 KB as JSON; other keys keep their values."""
        if not isinstance(values, Mapping):
            self._complain("metadata", f"metadata: {cut(values, 100)} is not a mapping")
            return
        patch = {as_text(key): to_json(value) for key, value in values.items()}
        if self._sender.outbox.takes_metadata(patch):
            self._put(Report(metadata=patch))
        else:
            self._complain("metadata", "metadata: more than 64 KB")

    def error(
        self,
        *,
        entity_key: object,
        error_type: str,
        message: object,
        entity_type: str = "job",
        step: Optional[str] = None,
        details: Optional[Mapping[str, Any]] = None,
    ) -> None:
        """
        Adds an error about one entity, or about the job itself (`entity_type` "job"). Values beyond the API's bounds are cut.
        While 10,000 entries or 8 MB wait to be sent, it waits too.
        """
        if entity_type != "job":
            self._failures.n = self._failures_here() + 1
        entry = encode_entry(entity_key, error_type, message, entity_type, step, details)
        self._put(Report(errors=[entry]))

    def warning(
        self,
        *,
        entity_key: object,
        error_type: str,
        message: object,
        entity_type: str = "job",
        step: Optional[str] = None,
        details: Optional[Mapping[str, Any]] = None,
    ) -> None:
        """Adds a warning. As `error`."""
        entry = encode_entry(entity_key, error_type, message, entity_type, step, details)
        self._put(Report(warnings=[entry]))

    def track(self, rows: Iterable[Row]) -> Iterator[Row]:
        """
        Yields the rows, and counts each as done once the next is asked for. A row for which this thread has called `error` for
        an entity counts as failed, and not as done. Raises JobClosed once someone else has ended the job.
        """
        for row in rows:
            self.raise_if_closed()
            failures = self._failures_here()
            yield row
            if self._failures_here() == failures:
                self.add(1)

    def _failures_here(self) -> int:
        n: int = getattr(self._failures, "n", 0)
        return n

    # The end

    def flush(self) -> bool:
        """Sends what waits. Returns whether the API has acknowledged it; if not, it is still tried."""
        done = self._sender.outbox.flush()
        self._raise_if_strict()
        return done

    def complete(self) -> bool:
        """
        Completes the job, once all that was reported is sent. Returns whether the API has acknowledged it; if not, the log says
        what was not sent.
        """
        return self._finish(Report(mark_completed=True))

    def fail(self, message: object) -> bool:
        """Fails the job, and says why. As `complete`."""
        return self._finish(Report(mark_failed=cut(message, MAX_MESSAGE)))

    def _finish(self, last: Report) -> bool:
        done = self._sender.finish(last)
        self._raise_if_strict()
        return done

    def __enter__(self) -> "Job":
        self.start()
        return self

    def __exit__(
        self,
        _kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        _trace: Optional[TracebackType],
    ) -> None:
        if self._sender.is_in_fork:
            # The parent's block decides how the job ends.
            self._sender.outbox.flush()
        elif error is None:
            self.complete()
        elif isinstance(error, SystemExit) and error.code in (None, 0):
            self._sender.finish(Report(mark_completed=True))
        elif error is self._sender.outbox.closed:
            self._sender.finish(Report())
        else:
            self._sender.finish(Report(mark_failed=cut(_describe(error), MAX_MESSAGE)))

    # Within

    def _put(self, report: Report) -> None:
        self._sender.put(report)
        self._raise_if_strict()

    def _raise_if_strict(self) -> None:
        problem = self._sender.take_problem() if self._strict else None
        if problem is not None:
            raise problem

    def _is_count(self, name: str, n: object) -> bool:
        try:
            if 0 <= operator.index(n) <= MAX_COUNT:  # type: ignore[arg-type]
                return True
        except TypeError:
            pass
        self._complain(name, f"{name}: {cut(n, 100)} ({type(n).__name__}) is not an integer from 0 to 2^63 - 1")
        return False

    def _checked(self, counters: "dict[str, int]") -> "dict[str, int]":
        """The counters that the API will take."""
        checked = {}
        for name, n in counters.items():
            self._counters.add(name)
            if len(name) > MAX_COUNTER_NAME or len(self._counters) > MAX_COUNTERS:
                self._counters.discard(name)
                limits = f"{MAX_COUNTERS} counters, with names of {MAX_COUNTER_NAME} characters"
                self._complain("counters", f"{name}: a job keeps at most {limits}")
            elif self._is_count(name, n):
                checked[name] = operator.index(n)
        return checked

    def _complain(self, kind: str, text: str) -> None:
        if self._strict:
            raise ValueError(text)
        self._sender.log.warn(kind, f"{self.id}: left out: {text}")


def _describe(error: BaseException) -> str:
    if isinstance(error, Terminated):
        return "terminated by SIGTERM"
    if isinstance(error, KeyboardInterrupt):
        return "interrupted by SIGINT"
    if isinstance(error, SystemExit):
        return f"exited with {error.code}"
    return "".join(traceback.format_exception_only(type(error), error)).strip()
