"""The thread that sends a job's reports: one request at a time, in order, a few a second."""

import dataclasses
import threading
import time
import urllib.parse
from typing import Any, Optional

from . import _exit
from ._buffer import Buffer
from ._errors import JobClosed, MilepostError, NotSent, Refused
from ._http import Http, Reply, TryAgain, new_key
from ._log import Throttled, logger
from ._report import MAX_ENTRIES, Report, encode_entry

# The API takes one more report within 30 seconds of a cancellation. Seconds until that is sent, if the worker goes on.
_TIME_TO_STOP = 10.0
_TIME_FOR_LAST_REPORT = 20.0
# Seconds of failed attempts that are not worth a line in the log.
_HICCUP = 5.0


class Sender:
    """
    Takes reports from any thread, and never lets a caller wait for a request, except in `flush` and while the buffer is
    full. A report that fails is sent again until it is acknowledged or `stop` is called: an outage that is shorter than
    the work loses nothing.
    """

    def __init__(self, http: Http, job_id: str, interval: float) -> None:
        self._http = http
        self.job_id = job_id
        self._path = f"/api/jobs/{urllib.parse.quote(job_id, safe='')}/progress"
        self._interval = interval
        #: The job as it was last acknowledged.
        self.state: Any = None
        #: Why nothing is sent any more, or what was refused.
        self.problem: Optional[MilepostError] = None
        #: Why the job takes no more reports, if someone else ended it.
        self.closed: Optional[JobClosed] = None
        self.log = Throttled()
        self.is_in_fork = False
        self._begin()
        _exit.watch(self)

    def _begin(self) -> None:
        # Reentrant, and entered only as `with self._lock`: a signal handler may interrupt a call and report, too.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._buffer = Buffer()
        self._in_flight: Optional[Report] = None
        self._thread: Optional[threading.Thread] = None
        #: How many reports were put, how many of them are acknowledged, and up to which one someone waits for that.
        self._puts = self._acknowledged = self._wanted = 0
        #: How many are acknowledged once the report under way is.
        self._covered = 0
        self._sent_at = float("-inf")
        self._is_stopped = False
        self._is_ending = False
        #: Whether an outage has lasted so long that callers no longer wait for room.
        self._outlasted = False
        self.dropped = 0

    def begin_in_fork(self) -> None:
        """In a forked child: what waits is the parent's to send, and the thread and its lock are not there."""
        was_open = self.is_open
        self.is_in_fork = True
        self._begin()
        self._is_stopped = not was_open

    @property
    def is_open(self) -> bool:
        """Whether it still takes reports."""
        return not self._is_stopped and not self._is_ending

    # What callers do

    def put(self, report: Report) -> None:
        with self._lock:
            if not self.is_open:
                return
            has_room = not (report.errors or report.warnings) or self._wait_for_room()
            if not has_room:
                self.dropped += len(report.errors) + len(report.warnings)
                report.errors, report.warnings = [], []
            if self.is_open:
                self._add(report)
        # Not while holding the lock: a log handler may have one of its own.
        if not has_room:
            self.log.warn("dropped", f"{self.job_id}: the buffer is full: {self.dropped} entries dropped")

    def _wait_for_room(self) -> bool:
        """Waits while the buffer is full; not for longer than `give_up_after`, and once an outage."""
        give_up_at = time.monotonic() + self._http.give_up_after
        while self._buffer.is_full and self._may_wait() and not self._outlasted:
            self._changed.wait(max(0.0, give_up_at - time.monotonic()))
            self._outlasted = self._buffer.is_full and time.monotonic() >= give_up_at
        return not self._buffer.is_full

    def _may_wait(self) -> bool:
        # The thread itself gets here if a log handler makes entries of what we log.
        return self.is_open and self.closed is None and threading.current_thread() is not self._thread

    def _add(self, report: Report) -> None:
        was_empty = self._buffer.is_empty
        self._buffer.put(report)
        self._puts += 1
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"milepost-{self.job_id}", daemon=True)
            self._thread.start()
            if self.is_in_fork:
                _exit.flush_in_fork()
        # Otherwise the thread sleeps until the next request is due.
        if was_empty or self._buffer.is_pressing or self._buffer.fills_a_report:
            self._changed.notify_all()

    def take_problem(self) -> Optional[MilepostError]:
        """What to raise to a caller who wants exceptions: for good if nothing is sent any more, otherwise once."""
        problem = self.problem
        if self.is_open and self.closed is None:
            self.problem = None
        return problem

    def takes_metadata(self, patch: dict[str, bytes]) -> bool:
        with self._lock:
            return self._buffer.takes_metadata(patch)

    def flush(self, began: Optional[float] = None) -> bool:
        """
        Sends all that waits, without pauses. Returns whether it was acknowledged within `give_up_after` seconds, from now or
        from `began`.
        """
        give_up_at = (time.monotonic() if began is None else began) + self._http.give_up_after
        with self._lock:
            wanted = self._wanted = self._puts
            self._changed.notify_all()
            while (
                self._acknowledged < wanted and not self._is_stopped and (self._is_ending or not self.closed)
            ):
                left = give_up_at - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            return self._acknowledged >= wanted

    def finish(self, last: Report) -> bool:
        """Sends all that waits, then the last report, and stops. Returns whether it was acknowledged."""
        with self._lock:
            if not self.is_open:
                return False
            if self.dropped > 0:
                last.warnings.append(self._notice())
            self._add(last)
            self._is_ending = True
        try:
            with _exit.holding_sigterm():
                return self.flush()
        finally:
            self.stop("the API did not answer in time")

    def leave(self, began: float) -> None:
        """Sends what waits, and leaves the job open: the process is exiting since `began`."""
        with self._lock:
            if self.is_open and self.dropped > 0:
                self._add(Report(warnings=[self._notice()]))
            self._is_ending = True
        self.flush(began)
        self.stop("the process exits, and the API did not answer in time")

    def _notice(self) -> bytes:
        text = f"The client dropped {self.dropped} errors and warnings that it could not send"
        return encode_entry(self.job_id, "entries_dropped", text, "job", None, None)

    def stop(self, reason: str) -> None:
        """Stops for good. What has not been acknowledged is lost, and the log says what it was."""
        with self._lock:
            if self._is_stopped:
                return
            self._is_stopped = True
            unsent = Report()
            # Not into the report under way: the thread may be about to repeat it.
            unsent.absorb(self._in_flight or Report())
            unsent.absorb(self._buffer.clear())
            self._changed.notify_all()
        _exit.forget(self)
        lost = unsent.describe()
        if lost:
            error = NotSent(f"{self.job_id}: not sent: {', '.join(lost)}: {reason}")
            self.problem = self.problem or error
            logger.error("%s", error)

    # What the thread does

    def _run(self) -> None:
        try:
            while True:
                report = self._next()
                if report is None:
                    return
                self._send(report)
        except Exception as error:
            logger.exception("%s: a fault of the client", self.job_id)
            self.problem = NotSent(repr(error))
            self.stop(repr(error))

    def _next(self) -> Optional[Report]:
        """Waits until a report is due. None: stopped."""
        with self._lock:
            while not self._is_stopped:
                pause = None if self._buffer.is_empty else self._pause()
                if pause is not None and pause <= 0:
                    self._in_flight = self._buffer.take()
                    self._covered = self._puts if self._buffer.is_empty else self._acknowledged
                    self._sent_at = time.monotonic()
                    return self._in_flight
                self._changed.wait(pause)
            return None

    def _pause(self) -> float:
        if self._wanted > self._acknowledged or self._buffer.fills_a_report:
            return 0.0
        # A stage goes at once, but a loop over stages does not become a flood.
        interval = self._interval / 5 if self._buffer.is_pressing else self._interval
        return self._sent_at + interval - time.monotonic()

    def _send(self, report: Report) -> None:
        """Sends a report until the API accepts or refuses it, or until stopped."""
        body, key, began, attempts = self._encode(report), new_key(), time.monotonic(), 0
        while not self._is_stopped:
            attempts += 1
            try:
                reply = self._http.attempt("POST", self._path, body, key)
            except TryAgain as failure:
                if time.monotonic() - began > _HICCUP:
                    self.log.warn("unreachable", f"{self.job_id}: {failure}; trying again")
                self._sleep(failure.pause(attempts))
            except Refused as refusal:
                rest = self._leave_out(report, refusal)
                if rest is None:
                    return self._end(refusal, report)
                if rest == Report():
                    return self._acknowledge()
                # Another body, so another key.
                report = self._in_flight = rest
                body, key, attempts = self._encode(report), new_key(), 0
            else:
                return self._accept(report, reply)

    def _encode(self, report: Report) -> bytes:
        # Starting twice changes nothing, but a canceled job refuses any mark. Without one, it would take this report for its
        # last, and what the worker does until the reply comes would be lost.
        has_started = isinstance(self.state, dict) and self.state.get("started_at") is not None
        return dataclasses.replace(report, mark_started=report.mark_started or has_started).encode()

    def _sleep(self, seconds: float) -> None:
        wake_at = time.monotonic() + seconds
        with self._lock:
            while not self._is_stopped and time.monotonic() < wake_at:
                self._changed.wait(max(0.0, wake_at - time.monotonic()))

    def _leave_out(self, report: Report, refusal: Refused) -> Optional[Report]:
        """What to send instead: one bad field must not take the rest with it. None: it is of no use to go on."""
        if refusal.status not in (400, 413, 422):
            return None
        rest = report.without(refusal.detail if isinstance(refusal.detail, list) else []) or Report()
        if rest == Report() and report.ends:
            return None
        with self._lock:
            self.problem = refusal
            self.dropped += len(report.errors) - len(rest.errors) + len(report.warnings) - len(rest.warnings)
        self.log.warn("refused", f"{self.job_id}: left out what the API refuses: {refusal}")
        return rest

    def _accept(self, report: Report, reply: Reply) -> None:
        if isinstance(reply.body, dict):
            self.state = reply.body
        if reply.headers.get("Job-Status") == "cancelled":
            self.problem = self.closed = JobClosed(self.job_id, "cancelled")
            self._acknowledge()
            self._say_last_word(Report())
        else:
            self._acknowledge()
            if report.ends:
                self.stop("the job has ended")

    def _acknowledge(self) -> None:
        with self._lock:
            self._in_flight = None
            self._outlasted = False
            self._acknowledged = self._covered
            self._changed.notify_all()

    def _end(self, refusal: Refused, report: Report) -> None:
        if refusal.status == 409:
            self.problem = self.closed = JobClosed(self.job_id, refusal.job_status)
            self._say_last_word(report)
        else:
            self.problem = refusal
            self.stop(str(refusal))

    def _say_last_word(self, refused: Report) -> None:
        """Sends what a canceled job may still be told: counts and entries, once, without marks. Then stops."""
        is_canceled = self.closed is not None and self.closed.status in ("cancelled", None)
        last = self._last_report(refused, _TIME_TO_STOP if is_canceled else 0.0)
        give_up_at = time.monotonic() + _TIME_FOR_LAST_REPORT
        key, attempts = new_key(), 0
        while is_canceled and last != Report() and not self._is_stopped and time.monotonic() < give_up_at:
            attempts += 1
            try:
                reply = self._http.attempt("POST", self._path, last.encode(), key)
                self.state, last = reply.body, Report()
            except TryAgain as failure:
                self._sleep(failure.pause(attempts))
            except Refused:
                break
        self._in_flight = last
        self.log.warn("closed", f"{self.closed}: nothing more is sent")
        self.stop("the job is closed")

    def _last_report(self, refused: Report, time_to_stop: float) -> Report:
        """Waits until the worker has stopped, or has had the time to, and makes one report of all that is left."""
        give_up_at = time.monotonic() + time_to_stop
        with self._lock:
            self._buffer.put_back(refused)
            self._in_flight = None
            self._changed.notify_all()
            while self.is_open and time.monotonic() < give_up_at:
                self._changed.wait(max(0.0, give_up_at - time.monotonic()))
            self._is_ending = True
            self._buffer.merge()
            last = (self._buffer.take() or Report()).without_marks()
            rest = self._buffer.clear()
            self.dropped += len(rest.errors) + len(rest.warnings)
            if self.dropped > 0:
                self.dropped += len(last.warnings[MAX_ENTRIES - 1 :])
                last.warnings = [*last.warnings[: MAX_ENTRIES - 1], self._notice()]
        return last
