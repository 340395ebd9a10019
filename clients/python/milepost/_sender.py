"""The thread that sends a job's reports: one request at a time, in order, a few a second."""

import dataclasses
import threading
import time
import urllib.parse
from typing import Any, Optional

from . import _exit
from ._errors import JobClosed, MilepostError, NotSent, Refused
from ._http import Http, Reply, TryAgain, new_key
from ._log import Throttled, logger
from ._outbox import Outbox
from ._report import Report, encode_entry

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

    def __init__(self, http: Http, job_id: str, interval: float, state: Any) -> None:
        self._http = http
        self._interval = interval
        self._path = f"/api/jobs/{urllib.parse.quote(job_id, safe='')}/progress"
        self.job_id = job_id
        #: The job as it was last acknowledged.
        self.state = state
        #: Why nothing is sent any more, or what was refused.
        self.problem: Optional[MilepostError] = None
        self.log = Throttled()
        self.outbox = Outbox(http.give_up_after, interval)
        self._thread: Optional[threading.Thread] = None
        self.is_in_fork = False
        # Here, where the caller expects that it can fail: some versions of Python start no thread once they are exiting.
        self._start()
        _exit.watch(self)

    def begin_in_fork(self) -> None:
        """In a forked child: what waits is the parent's to send, and the thread and its lock are not there."""
        closed, is_open = self.outbox.closed, self.outbox.is_open
        self.outbox = Outbox(self._http.give_up_after, self._interval)
        self.outbox.closed, self.outbox.is_stopped = closed, not is_open
        self._thread = None
        self.is_in_fork = True

    # What callers do

    def put(self, report: Report) -> None:
        if not self.outbox.is_open:
            # Whoever canceled the job expects that. Otherwise it is a mistake of the worker, or the API refuses the job.
            if self.outbox.closed is None:
                self.log.warn("ended", f"{self.job_id}: not sent: what is reported after the end")
            return
        self._start()
        # The thread itself gets here if a log handler makes entries of what we log. It must not wait for itself.
        if not self.outbox.put(report, may_wait=threading.current_thread() is not self._thread):
            self.log.warn(
                "dropped", f"{self.job_id}: the buffer is full: {self.outbox.dropped} entries dropped"
            )

    def _start(self) -> None:
        if self._thread is not None:
            return
        with self.outbox.lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=f"milepost-{self.job_id}", daemon=True)
                thread.start()
                self._thread = thread
        _exit.flush_in_child()

    def finish(self, last: Report) -> bool:
        """Sends all that waits, then the last report, and stops. Returns whether the job has ended with it."""
        self._start()
        with _exit.holding_sigterm():
            if not self.outbox.put_last(self._with_notice(last)):
                return False
            return self._flush_and_stop() and self.outbox.closed is None

    def leave(self, began: float) -> None:
        """Sends what waits, and leaves the job open: the process is exiting since `began`."""
        self.outbox.put_last(self._with_notice(Report()))
        self._flush_and_stop(began)

    def _flush_and_stop(self, began: Optional[float] = None) -> bool:
        reason = "interrupted"
        try:
            is_sent = self.outbox.flush(began)
            reason = "the API did not answer in time"
        finally:
            self.stop(reason)
        return is_sent

    def stop(self, reason: str) -> None:
        """Stops for good. What has not been acknowledged is lost, and the log says what it was."""
        lost = self.outbox.stop().describe()
        _exit.forget(self)
        if lost:
            error = NotSent(f"{self.job_id}: not sent: {', '.join(lost)}: {reason}")
            self.problem = self.problem or error
            logger.error("%s", error)

    def take_problem(self) -> Optional[MilepostError]:
        """What to raise to a caller who wants exceptions: for good if nothing is sent any more, otherwise once."""
        problem = self.problem
        if self.outbox.is_open and self.outbox.closed is None:
            self.problem = None
        return problem

    # What the thread does

    def _run(self) -> None:
        try:
            while (report := self.outbox.take()) is not None:
                self._send(report)
        except Exception as error:
            logger.exception("%s: a fault of the client", self.job_id)
            self.problem = NotSent(repr(error))
            self.stop(repr(error))

    def _send(self, report: Report) -> None:
        """Sends a report until the API accepts or refuses it, or until stopped."""
        body, key, began, attempts = self._encode(report), new_key(), time.monotonic(), 0
        while not self.outbox.is_stopped:
            attempts += 1
            try:
                self._accept(self._http.attempt("POST", self._path, body, key), report)
                return
            except TryAgain as failure:
                if time.monotonic() - began > _HICCUP:
                    self.log.warn("unreachable", f"{self.job_id}: {failure}; trying again")
                self.outbox.sleep(failure.pause(attempts))
            except Refused as refusal:
                rest = _leave_out(report, refusal)
                if rest is None:
                    self._end(refusal)
                    return
                self.problem = refusal
                self._go_on_with(rest, refusal)
                if rest == Report():
                    self.outbox.acknowledge()
                    return
                # Another body, so another key.
                report, body, key, attempts = rest, self._encode(rest), new_key(), 0

    def _go_on_with(self, rest: Report, refusal: Refused) -> None:
        self.log.warn("refused", f"{self.job_id}: left out what the API refuses: {refusal}")
        self.outbox.reduce(rest)

    def _encode(self, report: Report) -> bytes:
        # Starting twice changes nothing, but a canceled job refuses any mark. Without one, it would take this report for its
        # last, and what the worker does until the reply comes would be lost.
        has_started = isinstance(self.state, dict) and self.state.get("started_at") is not None
        return dataclasses.replace(report, mark_started=report.mark_started or has_started).encode()

    def _accept(self, reply: Reply, report: Report) -> None:
        self.state = reply.body
        self.outbox.acknowledge()
        if reply.headers.get("Job-Status") == "cancelled":
            self._say_last_word(JobClosed(self.job_id, "cancelled"))
        elif report.ends:
            self.stop("the job has ended")

    def _end(self, refusal: Refused) -> None:
        if refusal.status == 409:
            self._say_last_word(JobClosed(self.job_id, refusal.job_status))
        else:
            self.problem = refusal
            self.stop(str(refusal))

    def _say_last_word(self, closed: JobClosed) -> None:
        """Sends what a canceled job may still be told: counts and entries, once, without marks. Then stops."""
        self.problem = closed
        self.outbox.close(closed)
        is_canceled = closed.status in ("cancelled", None)
        last = self._with_notice(self.outbox.take_last(_TIME_TO_STOP if is_canceled else 0.0))
        body, key, attempts = last.encode(), new_key(), 0
        give_up_at = time.monotonic() + _TIME_FOR_LAST_REPORT
        while (
            is_canceled and last != Report() and not self.outbox.is_stopped and time.monotonic() < give_up_at
        ):
            attempts += 1
            try:
                self.state = self._http.attempt("POST", self._path, body, key).body
                self.outbox.acknowledge()
                break
            except TryAgain as failure:
                self.outbox.sleep(failure.pause(attempts))
            except Refused as refusal:
                rest = _leave_out(last, refusal)
                if rest is None or rest == Report():
                    break
                self._go_on_with(rest, refusal)
                last, body, key, attempts = rest, rest.encode(), new_key(), 0
        self.log.warn("closed", f"{closed}: nothing more is sent")
        self.stop("the job is closed")

    def _with_notice(self, last: Report) -> Report:
        """The report with a warning that says how many entries were dropped, if any were."""
        if self.outbox.dropped == 0:
            return last
        text = f"The client dropped {self.outbox.dropped} errors and warnings that it could not send"
        notice = encode_entry(self.job_id, "entries_dropped", text, "job", None, None)
        return dataclasses.replace(last, warnings=[*last.warnings, notice])


def _leave_out(report: Report, refusal: Refused) -> Optional[Report]:
    """What to send instead: one bad field must not take the rest with it. None: it is of no use to go on."""
    if refusal.status not in (400, 413, 422):
        return None
    rest = report.without(refusal.detail if isinstance(refusal.detail, list) else []) or Report()
    return None if rest == Report() and report.ends else rest
