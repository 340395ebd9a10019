"""What waits to be sent. Pure: no clock, no threads, no network."""

from collections import deque
from typing import Optional

from ._report import MAX_ENTRIES, MAX_ENTRY_BYTES, MAX_METADATA_BYTES, Report, encode_object

MAX_WAITING_ENTRIES = 10_000
MAX_WAITING_BYTES = 8 * 1024 * 1024
# As many stages as a job's timeline keeps.
MAX_WAITING_REPORTS = 50


class Buffer:
    """
    Reports in the order they came in, merged as far as that changes nothing: what comes between two stages is one report,
    so that the job's timeline has both.
    """

    def __init__(self) -> None:
        self._waiting: deque[Report] = deque()
        self.entries = 0
        self.bytes = 0

    def put(self, report: Report) -> None:
        """Adds a report, whole. It is the caller's part to ask `is_full` first."""
        self.entries += len(report.errors) + len(report.warnings)
        self.bytes += _entry_bytes(report)
        last = self._waiting[-1] if self._waiting else None
        if last is not None and (self._merges(last, report) or len(self._waiting) >= MAX_WAITING_REPORTS):
            last.absorb(report)
        else:
            self._waiting.append(report)

    @staticmethod
    def _merges(last: Report, report: Report) -> bool:
        """Whether sending the two as one has the same effect."""
        # Within a report, these keys of the metadata give way to its stage and message.
        if "stage" in report.metadata and last.stage is not None:
            return False
        if "last_message" in report.metadata and last.message is not None:
            return False
        return report.stage is None or last.stage in (None, report.stage)

    def takes_metadata(self, patch: dict[str, bytes]) -> bool:
        """Whether the report into which the patch would be merged has room for it."""
        merged = {**(self._waiting[-1].metadata if self._waiting else {}), **patch}
        return len(encode_object(merged)) <= MAX_METADATA_BYTES

    def take(self) -> Optional[Report]:
        """The next report to send, within the API's bounds; None if nothing waits."""
        if not self._waiting:
            return None
        first = self._waiting[0]
        part = Report(errors=_shift(first.errors, MAX_ENTRY_BYTES // 2))
        # Either kind may use what the other leaves.
        part.warnings = _shift(first.warnings, MAX_ENTRY_BYTES - sum(map(len, part.errors)))
        self.entries -= len(part.errors) + len(part.warnings)
        self.bytes -= _entry_bytes(part)
        if not first.errors and not first.warnings:
            self._waiting.popleft()
            first.errors, first.warnings = part.errors, part.warnings
            return first
        # More entries than one report may have: the rest follows, and the mark that ends the job comes last.
        rest = Report(
            errors=first.errors,
            warnings=first.warnings,
            mark_completed=first.mark_completed,
            mark_failed=first.mark_failed,
        )
        first.errors, first.warnings = part.errors, part.warnings
        first.mark_completed, first.mark_failed = False, None
        self._waiting[0] = rest
        return first

    def put_back(self, report: Report) -> None:
        """Puts a report that was taken, and not applied, before all others."""
        self.entries += len(report.errors) + len(report.warnings)
        self.bytes += _entry_bytes(report)
        self._waiting.appendleft(report)

    def merge(self) -> None:
        """Makes one report of all that waits, for an API that takes only one more: the stages between are left out."""
        while len(self._waiting) > 1:
            first = self._waiting.popleft()
            first.absorb(self._waiting.popleft())
            self._waiting.appendleft(first)

    def clear(self) -> Report:
        """Empties it, and returns all that waited as one report, however large."""
        self.merge()
        self.entries = self.bytes = 0
        return self._waiting.popleft() if self._waiting else Report()

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    @property
    def is_full(self) -> bool:
        return self.entries >= MAX_WAITING_ENTRIES or self.bytes >= MAX_WAITING_BYTES

    @property
    def is_pressing(self) -> bool:
        """Whether the next report has something that people wait for: a stage, a start or an end."""
        if not self._waiting:
            return False
        first = self._waiting[0]
        return first.stage is not None or first.mark_started or first.ends

    @property
    def fills_a_report(self) -> bool:
        """Whether waiting any longer would not save a request."""
        return bool(self._waiting) and (
            max(len(self._waiting[0].errors), len(self._waiting[0].warnings)) >= MAX_ENTRIES
            or self.bytes >= MAX_ENTRY_BYTES
        )


def _shift(entries: list[bytes], most_bytes: int) -> list[bytes]:
    """Removes as many entries from the front as one report takes, and returns them. One always fits: see encode_entry."""
    size = n = 0
    for entry in entries[:MAX_ENTRIES]:
        size += len(entry) + 1
        if size > most_bytes:
            break
        n += 1
    taken = entries[:n]
    del entries[:n]
    return taken


def _entry_bytes(report: Report) -> int:
    return sum(map(len, report.errors)) + sum(map(len, report.warnings))
