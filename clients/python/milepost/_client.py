"""The API's address and key: creating jobs, and reading them."""

import http.client
import json
import os
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Optional, Union

from ._errors import JobClosed, MilepostError, Refused, Unreachable
from ._http import Http, TryAgain, new_key
from ._job import Job
from ._report import to_json
from ._sender import Sender
from ._types import EntityEntry, Entry, EntryGroups, ErrorGroups, History, JobCount, JobState, JobType, Message

# An event stream sends something every 15 seconds.
_SILENCE = 40.0


class Client:
    """
    `url` and `key` are taken from MILEPOST_URL and MILEPOST_API_KEY unless given. `organization` is needed only with a key for
    several.

    `give_up_after`: seconds that creating, reading, flushing and ending a job may take, attempts included. `attempt_timeout`:
    seconds without a byte after which one attempt is given up. `reports_per_second`: how often a job reports at most.
    `strict`: methods of jobs raise what they would otherwise log.
    """

    def __init__(
        self,
        url: Optional[str] = None,
        key: Optional[str] = None,
        *,
        organization: Optional[str] = None,
        give_up_after: float = 60.0,
        attempt_timeout: float = 10.0,
        reports_per_second: float = 2.0,
        strict: bool = False,
    ) -> None:
        url = os.environ.get("MILEPOST_URL", "") if url is None else url
        key = os.environ.get("MILEPOST_API_KEY", "") if key is None else key
        self._http = Http(url, key, organization, give_up_after, attempt_timeout)
        if not reports_per_second > 0:
            raise ValueError(f"reports_per_second must be above 0, not {reports_per_second!r}")
        self._interval = 1.0 / reports_per_second
        self._strict = strict

    def job(
        self,
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
        """
        Creates a job; with `job_id`, goes on with an existing one (its `state` says how far it is). `idempotency_key`: within 24
        hours, the same key finds the same job instead of creating another, and goes on with it.

        Raises Unreachable or Refused, and JobClosed if the existing job has ended.
        """
        new = {
            "job_type": job_type,
            "total_items": total_items,
            "metadata": metadata,
            "labels": labels,
            "parent_job_id": parent_job_id,
            "triggered_by": triggered_by,
            "stall_after_seconds": stall_after_seconds,
            "start_within_seconds": start_within_seconds,
            "finish_within_seconds": finish_within_seconds,
            "callback_url": callback_url,
        }
        given = {name: value for name, value in new.items() if value is not None}
        if job_id is not None:
            if given.keys() - {"total_items"} or idempotency_key is not None:
                raise TypeError("job_id goes on with an existing job: give only total_items with it")
            return self._open(job_id, f"{_path(job_id)}/progress", given, new_key())
        if job_type is None:
            raise TypeError("Give a job_type to create a job, or a job_id to go on with one")
        return self._open(None, "/api/jobs/", {"total_items": 0, **given}, idempotency_key or new_key())

    def resume(self, job_id: str) -> Job:
        """Goes on with an existing job, after a restart for example. As `job(job_id=…)`."""
        return self.job(job_id=job_id)

    def _open(self, job_id: Optional[str], path: str, body: dict[str, Any], key: str) -> Job:
        try:
            reply = self._http.request("POST", path, to_json(body), key)
        except Refused as refusal:
            if refusal.status == 409 and job_id is not None:
                raise JobClosed(job_id, refusal.job_status) from refusal
            raise
        state = _state(reply.body)
        if job_id is None and reply.headers.get("Idempotency-Replayed") == "true":
            # It shows the job as it was created: by an attempt whose reply was lost, or by an earlier process.
            return self.resume(state["job_id"])
        if job_id is not None and state.get("completed_at"):
            raise JobClosed(job_id, state["status"])
        return Job(Sender(self._http, state["job_id"], self._interval, state), self._strict)

    def get(self, job_id: str) -> JobState:
        """The job as it was last acknowledged."""
        return _state(self._http.request("GET", _path(job_id)).body)

    def cancel(self, job_id: str, reason: Optional[str] = None) -> JobState:
        """Ends the job as cancelled. Raises Refused (409) if it has ended otherwise."""
        body = {} if reason is None else {"reason": reason}
        return _state(self._http.request("POST", f"{_path(job_id)}/cancel", to_json(body)).body)

    def jobs(
        self,
        *,
        status: Union[str, Iterable[str], None] = None,
        job_type: Optional[str] = None,
        triggered_by: Optional[str] = None,
        created_after: Optional[str] = None,
        created_before: Optional[str] = None,
        stalled: bool = False,
        late: bool = False,
        labels: Optional[Mapping[str, str]] = None,
        search: Optional[str] = None,
        sort: Optional[str] = None,
    ) -> Iterator[JobState]:
        """
        All jobs of the organization that match, newest first (`sort="oldest"`: oldest first), page by page. Times are ISO 8601.
        `search`: the beginning of an ID, a type or a label's value, or an ID that the metadata has under a key with `_job_id`.
        """
        query: dict[str, Any] = {
            "status": status if isinstance(status, str) or status is None else ",".join(status),
            "job_type": job_type,
            "triggered_by": triggered_by,
            "created_after": created_after,
            "created_before": created_before,
            "stalled": "true" if stalled else None,
            "late": "true" if late else None,
            "label": [f"{name}:{value}" for name, value in (labels or {}).items()] or None,
            "q": search,
            "sort": sort,
            "limit": "200",
        }
        return self._pages("/api/jobs/", "jobs", query)

    def children(self, job_id: str, *, sort: Optional[str] = None) -> Iterator[JobState]:
        """The jobs that were created with this one as `parent_job_id`, newest first, page by page."""
        return self._pages(f"{_path(job_id)}/children", "jobs", {"sort": sort, "limit": "200"})

    def errors(self, job_id: str, *, error_type: Optional[str] = None) -> Iterator[Entry]:
        """All errors that the job keeps, oldest first, page by page."""
        return self._pages(f"{_path(job_id)}/errors", "errors", {"error_type": error_type, "limit": "1000"})

    def warnings(self, job_id: str, *, error_type: Optional[str] = None) -> Iterator[Entry]:
        """All warnings that the job keeps. As `errors`."""
        return self._pages(
            f"{_path(job_id)}/warnings", "warnings", {"error_type": error_type, "limit": "1000"}
        )

    def entity_entries(self, entity_type: str, entity_key: str) -> Iterator[EntityEntry]:
        """
        The errors and warnings that any job of the organization has reported about an entity, newest first, page by page: about a
        second after they were reported. An empty key, "." and ".." cannot be asked for.
        """
        path = "/".join(urllib.parse.quote(part, safe="") for part in (entity_type, entity_key))
        return self._pages(f"/api/entities/{path}", "entries", {"limit": "200"})

    def error_groups(self, *, since: Optional[str] = None, until: Optional[str] = None) -> ErrorGroups:
        """
        The error types across the jobs that finished in a period of at most 31 days, widened to whole hours; by default, the last
        day. Times are ISO 8601.
        """
        given = {name: time for name, time in (("since", since), ("until", until)) if time is not None}
        groups: ErrorGroups = self._http.request("GET", f"/api/error-groups?{urllib.parse.urlencode(given)}").body
        return groups

    def entry_groups(self, job_id: str) -> EntryGroups:
        """The errors and warnings of the job, counted by type."""
        groups: EntryGroups = self._http.request("GET", f"{_path(job_id)}/entry-groups").body
        return groups

    def errors_csv(self, job_id: str, *, error_type: Optional[str] = None) -> Iterator[bytes]:
        """
        All errors that the job keeps as a CSV file, in parts as they come: `file.writelines(client.errors_csv(job_id))`. Raises
        Unreachable if it breaks off.
        """
        return self._csv(job_id, "errors", error_type)

    def warnings_csv(self, job_id: str, *, error_type: Optional[str] = None) -> Iterator[bytes]:
        """The same for warnings."""
        return self._csv(job_id, "warnings", error_type)

    def _csv(self, job_id: str, name: str, error_type: Optional[str]) -> Iterator[bytes]:
        query = "" if error_type is None else f"?{urllib.parse.urlencode({'error_type': error_type})}"
        return self._http.download(f"{_path(job_id)}/{name}{query}", "text/csv")

    def stats(
        self,
        *,
        since: Optional[str] = None,
        until: Optional[str] = None,
        job_type: Optional[str] = None,
    ) -> Iterator[JobCount]:
        """How many jobs ended in each hour of the last 90 days, by type and status, the oldest hour first. Times are ISO 8601."""
        return self._pages("/api/stats", "stats", {"since": since, "until": until, "job_type": job_type})

    def job_types(self) -> Iterator[JobType]:
        """The types of the organization's jobs by name, and how long those of each usually take."""
        return self._pages("/api/stats/job-types", "job_types", {})

    def _pages(self, path: str, name: str, query: dict[str, Any]) -> Iterator[Any]:
        given = {key: value for key, value in query.items() if value is not None}
        while True:
            page = self._http.request("GET", f"{path}?{urllib.parse.urlencode(given, doseq=True)}").body
            yield from page[name]
            if page["next_cursor"] is None:
                return
            given["cursor"] = page["next_cursor"]

    def messages(self, job_id: str) -> list[Message]:
        """The newest messages that were reported on the job, oldest first: at most 200."""
        messages: list[Message] = self._http.request("GET", f"{_path(job_id)}/messages").body["messages"]
        return messages

    def history(self, job_id: str) -> History:
        """How the job went: its counts over its time, and its stages."""
        history: History = self._http.request("GET", f"{_path(job_id)}/history").body
        return history

    def watch(
        self, job_id: str, *, on_message: Optional[Callable[[Message], None]] = None
    ) -> Iterator[JobState]:
        """
        The job's states from now until it has ended, as they change; states in quick succession may be skipped. Connects again
        if the stream breaks off. Raises Unreachable once that has failed for `give_up_after` seconds. `on_message` gets the
        newest messages, and each that comes, before the state that it led to.
        """
        path = f"{_path(job_id)}/events{'' if on_message is None else '?messages=true'}"
        last_id, last_seq, attempts, heard_at = "", 0, 0, time.monotonic()
        while True:
            try:
                headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
                with self._http.open("GET", path, None, headers, _SILENCE) as stream:
                    for event, event_id, data in _events(stream):
                        if event == "message":
                            # After a reconnect, messages may come again.
                            if on_message is not None and data["seq"] > last_seq:
                                on_message(data)
                            last_seq = max(last_seq, data["seq"])
                            continue
                        if event_id != last_id:
                            yield data
                        last_id, attempts, heard_at = event_id, 0, time.monotonic()
                        if event == "finished":
                            return
                    if stream.status == 204:
                        return
                failure = TryAgain("the stream ended")
            except TryAgain as refused:
                failure = refused
            except (OSError, ValueError, http.client.HTTPException) as broken:
                failure = TryAgain(str(broken))
            attempts += 1
            pause = failure.pause(attempts)
            if time.monotonic() + pause - heard_at > self._http.give_up_after:
                raise Unreachable(f"{job_id} cannot be watched: {failure}")
            time.sleep(pause)


def _events(stream: Iterable[bytes]) -> Iterator[tuple[str, str, Any]]:
    """The events of a stream, whole ones only: name, id and data."""
    fields: dict[str, str] = {}
    for raw in stream:
        line = raw.decode().rstrip("\r\n")
        if line:
            name, _, value = line.partition(":")
            fields[name] = value[1:] if value.startswith(" ") else value
        else:
            if "data" in fields:
                yield fields.get("event", "message"), fields.get("id", ""), json.loads(fields["data"])
            fields = {}


def _path(job_id: str) -> str:
    return f"/api/jobs/{urllib.parse.quote(job_id, safe='')}"


def _state(body: Any) -> JobState:
    # Enough to tell the API from another server.
    if not isinstance(body, dict) or not isinstance(body.get("job_id"), str):
        raise MilepostError("The reply is not a job. Does MILEPOST_URL lead to the Jobs API?")
    state: JobState = body  # type: ignore[assignment]
    return state
