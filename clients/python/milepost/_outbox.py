"""What the threads of a job share: what waits, what is under way, and whether it goes on. All waiting is done here."""

import threading
import time
from typing import Optional

from ._buffer import Buffer
from ._errors import JobClosed
from ._report import Report


class Outbox:
    """Callers put reports in, and one thread takes them out. Times are in seconds."""

    def __init__(self, give_up_after: float, interval: float) -> None:
        self._give_up_after = give_up_after
        self._interval = interval
        # Reentrant, and entered only as `with self.lock`: a signal handler may interrupt a call and report, too.
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._buffer = Buffer()
        self._under_way = Report()
        #: How many reports were put, how many of them are acknowledged, and up to which one someone waits for that.
        self._puts = self._acknowledged = self._wanted = 0
        #: How many are acknowledged once the report under way is.
        self._covered = 0
        self._taken_at = float("-inf")
        #: Whether an outage has lasted so long that callers no longer wait for room.
        self._outlasted = False
        self._is_ending = False
        self.is_stopped = False
        #: Why the job takes no more reports, if someone else ended it.
        self.closed: Optional[JobClosed] = None
        self.dropped = 0

    @property
    def is_open(self) -> bool:
        """Whether it still takes reports."""
        return not self.is_stopped and not self._is_ending

    # For callers

    def put(self, report: Report, may_wait: bool) -> bool:
        """Adds a report. False: its entries were dropped, as there was no room for them in time."""
        with self.lock:
            if not self.is_open:
                return True
            has_room = not (report.errors or report.warnings) or self._wait_for_room(may_wait)
            if not has_room:
                self.dropped += len(report.errors) + len(report.warnings)
                report.errors, report.warnings = [], []
            if self.is_open:
                self._add(report)
            return has_room

    def put_last(self, report: Report) -> bool:
        """Adds a report, which may be of nothing, and takes no more. False: it took no more already."""
        with self.lock:
            if not self.is_open:
                return False
            if report != Report():
                self._add(report)
            self._is_ending = True
            self._changed.notify_all()
            return True

    def _wait_for_room(self, may_wait: bool) -> bool:
        """Waits while the buffer is full; not for longer than `give_up_after`, and once an outage."""
        give_up_at = time.monotonic() + self._give_up_after
        while (
            self._buffer.is_full and may_wait and self.is_open and self.closed is None and not self._outlasted
        ):
            self._changed.wait(max(0.0, give_up_at - time.monotonic()))
            self._outlasted = self._buffer.is_full and time.monotonic() >= give_up_at
        return not self._buffer.is_full

    def _add(self, report: Report) -> None:
        was_empty = self._buffer.is_empty
        self._buffer.put(report)
        self._puts += 1
        # Otherwise the thread sleeps until the next request is due.
        if was_empty or self._buffer.is_pressing or self._buffer.fills_a_report:
            self._changed.notify_all()

    def takes_metadata(self, patch: dict[str, bytes]) -> bool:
        with self.lock:
            return self._buffer.takes_metadata(patch)

    def flush(self, began: Optional[float] = None) -> bool:
        """
        Has all that waits sent without pauses. Returns whether it was acknowledged within `give_up_after` from now, or from
        `began`.
        """
        give_up_at = (time.monotonic() if began is None else began) + self._give_up_after
        with self.lock:
            wanted = self._wanted = self._puts
            self._changed.notify_all()
            # Once the job is closed, only what ends the job is worth waiting for.
            while self._acknowledged < wanted and not self.is_stopped and not (self.closed and self.is_open):
                left = give_up_at - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            return self._acknowledged >= wanted

    def stop(self) -> Report:
        """Stops for good, and returns what was not acknowledged."""
        with self.lock:
            unsent = Report()
            if not self.is_stopped:
                self.is_stopped = True
                # Not into the report under way: the thread may be about to repeat it.
                unsent.absorb(self._under_way)
                unsent.absorb(self._buffer.clear())
                self._changed.notify_all()
            return unsent

    # For the thread

    def take(self) -> Optional[Report]:
        """Waits until a report is due, and returns it. None: stopped."""
        with self.lock:
            while not self.is_stopped:
                pause = None if self._buffer.is_empty else self._pause()
                if pause is None or pause > 0:
                    self._changed.wait(pause)
                    continue
                report = self._buffer.take()
                if report is not None:
                    self._under_way = report
                    self._covered = self._puts if self._buffer.is_empty else self._acknowledged
                    self._taken_at = time.monotonic()
                    return report
            return None

    def _pause(self) -> float:
        if self._wanted > self._acknowledged or self._buffer.fills_a_report:
            return 0.0
        # A stage goes at once, but a loop over stages does not become a flood.
        interval = self._interval / 5 if self._buffer.is_pressing else self._interval
        return self._taken_at + interval - time.monotonic()

    def reduce(self, rest: Report) -> None:
        """Goes on with what is left of the report under way: the API refused the other part."""
        with self.lock:
            self.dropped += len(self._under_way.errors) - len(rest.errors)
            self.dropped += len(self._under_way.warnings) - len(rest.warnings)
            self._under_way = rest

    def acknowledge(self) -> None:
        """The report under way is done with."""
        with self.lock:
            self._under_way = Report()
            self._outlasted = False
            self._acknowledged = self._covered
            self._changed.notify_all()

    def sleep(self, seconds: float) -> None:
        """Waits, or until stopped."""
        wake_at = time.monotonic() + seconds
        with self.lock:
            while not self.is_stopped and time.monotonic() < wake_at:
                self._changed.wait(max(0.0, wake_at - time.monotonic()))

    def close(self, closed: JobClosed) -> None:
        """Someone else has ended the job. Callers learn it, and may still put what they have done by then."""
        with self.lock:
            self.closed = closed
            self._changed.notify_all()

    def take_last(self, time_to_stop: float) -> Report:
        """
        Waits until the worker has stopped, or has had the time to. Then makes one report of all that is left, the one under way
        included, and drops the entries beyond its bounds.
        """
        give_up_at = time.monotonic() + time_to_stop
        with self.lock:
            while self.is_open and time.monotonic() < give_up_at:
                self._changed.wait(max(0.0, give_up_at - time.monotonic()))
            self._is_ending = True
            self._buffer.put_back(self._under_way)
            self._buffer.merge()
            self._under_way = (self._buffer.take() or Report()).without_marks()
            rest = self._buffer.clear()
            self.dropped += len(rest.errors) + len(rest.warnings)
            return self._under_way
