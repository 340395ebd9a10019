"""One report, as it is collected and then sent. Pure: no clock, no threads, no network."""

import dataclasses
import functools
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Optional

# The API's bounds (docs/limits.md). A value beyond one would be refused together with everything else in its report, so
# values are cut to size as they come in.
MAX_LINE = 4_096
MAX_MESSAGE = 16_384
MAX_COUNTERS = 50
MAX_COUNTER_NAME = 64
MAX_DETAILS_BYTES = 16 * 1024
MAX_METADATA_BYTES = 64 * 1024
# A body may be nested 500 levels deep. This leaves room for the levels around a value.
MAX_DEPTH = 450
# The API's integers fit into 64 bits.
MAX_COUNT = 2**63 - 1
# Of each kind. The API takes 500; the last is for a warning of our own.
MAX_ENTRIES = 499
# A body may have 1 MB. This leaves room for the metadata and the texts, whose bounds are above.
MAX_ENTRY_BYTES = 700_000


@dataclasses.dataclass
class Report:
    """What to tell the API in one request. Counters and `processed_delta` add up; entries are JSON already."""

    mark_started: bool = False
    total_items: Optional[int] = None
    processed_items: Optional[int] = None
    processed_delta: int = 0
    counters: dict[str, int] = dataclasses.field(default_factory=dict)
    metadata: dict[str, bytes] = dataclasses.field(default_factory=dict)
    stage: Optional[str] = None
    message: Optional[str] = None
    errors: list[bytes] = dataclasses.field(default_factory=list)
    warnings: list[bytes] = dataclasses.field(default_factory=list)
    mark_completed: bool = False
    mark_failed: Optional[str] = None

    def absorb(self, later: "Report") -> None:
        """Adds a later report, so that sending the two as one has the same effect."""
        self.mark_started = self.mark_started or later.mark_started
        if later.total_items is not None:
            self.total_items = later.total_items
        if later.processed_items is not None:
            self.processed_items, self.processed_delta = later.processed_items, 0
        # The API refuses a report that both sets the count and adds to it.
        if self.processed_items is not None:
            self.processed_items += later.processed_delta
        else:
            self.processed_delta += later.processed_delta
        for name, n in later.counters.items():
            self.counters[name] = self.counters.get(name, 0) + n
        self.metadata.update(later.metadata)
        self.stage = self.stage if later.stage is None else later.stage
        self.message = self.message if later.message is None else later.message
        self.errors += later.errors
        self.warnings += later.warnings
        self.mark_completed = self.mark_completed or later.mark_completed
        self.mark_failed = self.mark_failed if later.mark_failed is None else later.mark_failed

    @property
    def ends(self) -> bool:
        return self.mark_completed or self.mark_failed is not None

    def without_marks(self) -> "Report":
        return dataclasses.replace(self, mark_started=False, mark_completed=False, mark_failed=None)

    def without(self, faults: Iterable[Any]) -> Optional["Report"]:
        """
        The report without what the API found wrong: `faults` is the `detail` of its 422. Where that names nothing that can
        be left out, all entries and metadata are. None if there is nothing to leave out.
        """
        rest = dataclasses.replace(self, errors=list(self.errors), warnings=list(self.warnings))
        wrong: dict[str, set[int]] = {"errors": set(), "warnings": set()}
        for fault in faults:
            loc = fault.get("loc") if isinstance(fault, dict) else None
            name, *path = loc[1:] if isinstance(loc, list) and len(loc) > 1 else [None]
            if name in wrong and path and isinstance(path[0], int):
                wrong[name].add(path[0])
            else:
                rest._leave_out(name, path)
        for name, places in wrong.items():
            setattr(rest, name, [entry for i, entry in enumerate(getattr(self, name)) if i not in places])
        if rest == self:
            rest = dataclasses.replace(self, errors=[], warnings=[], metadata={})
        return None if rest == self else rest

    def _leave_out(self, name: Optional[str], path: list[Any]) -> None:
        # Never a mark: a job must not go on for ever because the text of its end was refused.
        if name == "mark_failed":
            self.mark_failed = ""
        elif name == "metadata_patch":
            self.metadata = {}
        elif name == "counters":
            self.counters = {key: n for key, n in self.counters.items() if path and key != path[0]}
        elif name == "processed_delta":
            self.processed_delta = 0
        elif name in ("total_items", "processed_items", "stage", "message"):
            setattr(self, name, None)

    def encode(self) -> bytes:
        """The request's body. Only what has an effect is in it."""
        fields: dict[str, bytes] = {}
        if self.mark_started:
            fields["mark_started"] = b"true"
        if self.total_items is not None:
            fields["total_items"] = b"%d" % self.total_items
        if self.processed_items is not None:
            fields["processed_items"] = b"%d" % self.processed_items
        elif self.processed_delta:
            fields["processed_delta"] = b"%d" % self.processed_delta
        if self.counters:
            fields["counters"] = to_json(self.counters)
        if self.metadata:
            fields["metadata_patch"] = encode_object(self.metadata)
        if self.stage is not None:
            fields["stage"] = to_json(self.stage)
        if self.message is not None:
            fields["message"] = to_json(self.message)
        if self.errors:
            fields["errors"] = b"[" + b",".join(self.errors) + b"]"
        if self.warnings:
            fields["warnings"] = b"[" + b",".join(self.warnings) + b"]"
        if self.mark_completed:
            fields["mark_completed"] = b"true"
        if self.mark_failed is not None:
            fields["mark_failed"] = to_json(self.mark_failed)
        return encode_object(fields)

    def describe(self) -> list[str]:
        """What is in it, for people: "3 errors", "stage"."""
        said = {
            f"{len(self.errors)} errors": self.errors,
            f"{len(self.warnings)} warnings": self.warnings,
            "counts": self.total_items is not None
            or self.processed_items is not None
            or self.processed_delta,
            "counters": self.counters,
            "metadata": self.metadata,
            "the stage": self.stage is not None,
            "the message": self.message is not None,
            "that it started": self.mark_started,
            "that it failed": self.mark_failed is not None,
            "that it is complete": self.mark_completed,
        }
        return [words for words, is_said in said.items() if is_said]


def encode_entry(
    entity_key: object,
    error_type: object,
    message: object,
    entity_type: object,
    step: object,
    details: Optional[Mapping[str, Any]],
) -> bytes:
    """The JSON of an error or a warning, within the API's bounds."""
    entry: dict[str, bytes] = {
        "entity_key": to_json(cut(entity_key, MAX_LINE)),
        "entity_type": to_json(cut(entity_type, MAX_LINE)),
        "error_type": to_json(cut(error_type, MAX_LINE)),
        "message": to_json(cut(message, MAX_MESSAGE)),
    }
    if step is not None:
        entry["step"] = to_json(cut(step, MAX_LINE))
    if details is not None:
        text = to_json(dict(details) if isinstance(details, Mapping) else {"value": details})
        if len(text) > MAX_DETAILS_BYTES:
            text = to_json({"cut_off": text[: MAX_DETAILS_BYTES // 4].decode("utf-8", "ignore")})
        entry["details"] = text
    return encode_object(entry)


def cut(value: object, most: int) -> str:
    """The value as text of at most `most` characters."""
    text = as_text(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def as_text(value: object) -> str:
    """The value as text, whatever its `__str__` raises."""
    try:
        return str(value)
    except Exception:
        return f"<unprintable {type(value).__name__} object>"


def to_json(value: object) -> bytes:
    """
    JSON of any value, never an error: what JSON does not know becomes text, NaN and infinities become null, and half a
    surrogate pair becomes "?".
    """
    try:
        text = _dumps(value)
    except RecursionError:
        text = _TOO_DEEP
    except Exception:
        text = _plain_json(value)
    return (_TOO_DEEP if _is_too_deep(text) else text).encode("utf-8", "replace")


_TOO_DEEP = '{"not_json":"nested too deeply"}'
_dumps = functools.partial(
    json.dumps, default=as_text, skipkeys=True, allow_nan=False, ensure_ascii=False, separators=(",", ":")
)


def _plain_json(value: object) -> str:
    """JSON of a value that has NaN, a loop or an integer of thousands of digits in it."""
    try:
        plain = json.dumps(value, default=as_text, skipkeys=True)
        return _dumps(json.loads(plain, parse_constant=lambda _: None))
    except Exception:
        return json.dumps({"not_json": cut(value, MAX_LINE)})


_BRACKETS_AND_STRINGS = re.compile(r'[\[{]|[\]}]|"(?:[^"\\]|\\.)*"')


def _is_too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = deepest = 0
    for token in _BRACKETS_AND_STRINGS.findall(text):
        depth += token in ("[", "{")
        depth -= token in ("]", "}")
        deepest = max(deepest, depth)
    return deepest > MAX_DEPTH


def encode_object(fields: Mapping[str, bytes]) -> bytes:
    """The JSON of an object whose values are JSON already."""
    return b"{" + b",".join(to_json(name) + b":" + text for name, text in fields.items()) + b"}"
