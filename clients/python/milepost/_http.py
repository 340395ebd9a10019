"""Requests to the API, and when to try again."""

import email.utils
import http.client
import json
import random
import re
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Optional

from ._errors import Refused, Unreachable

VERSION = "0.1.0"
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 8.0
# Bytes of a download that are read at once.
_PART = 65_536
# What a header takes.
_WORD = re.compile("[!-~]+")
_KEY = re.compile("[ -~]{1,255}")


class Reply:
    """A reply with a status below 400, and its JSON."""

    def __init__(self, status: int, headers: Mapping[str, str], body: Any) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class TryAgain(Exception):
    """No usable answer this time. `retry_after` is in seconds; 0 if the API did not ask for a pause."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after

    def pause(self, attempts: int) -> float:
        """
        Seconds until the next attempt: doubles each time, up to a limit, and half of it is chance. It is added to what the API
        asked for: workers that were all told the same second must not all return in it.
        """
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(attempts - 1, 10))
        return self.retry_after + longest * (0.5 + random.random() / 2)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    # Following one could turn the POST into a GET, or take the key to another host.
    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class Http:
    """The API's address and key, and how long to try. Times are in seconds."""

    def __init__(
        self, url: str, key: str, organization: Optional[str], give_up_after: float, attempt_timeout: float
    ) -> None:
        url = url.strip()
        if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", url):
            raise ValueError(f"Not the address of a Jobs API: {url!r}. Set MILEPOST_URL, or give url=")
        key = key.strip()
        # http.client would quote the key in its error.
        if not _WORD.fullmatch(key):
            raise ValueError("The API key is empty or malformed. Set MILEPOST_API_KEY, or give key=")
        if organization is not None and not _WORD.fullmatch(organization):
            raise ValueError(f"Not the ID of an organization: {organization!r}")
        if not (give_up_after > 0 and attempt_timeout > 0):
            raise ValueError("give_up_after and attempt_timeout must be above 0")
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}", "User-Agent": f"milepost-python/{VERSION}"}
        if organization is not None:
            self._headers["X-Organization-ID"] = organization
        self.give_up_after = give_up_after
        self._attempt_timeout = attempt_timeout
        # Honors HTTPS_PROXY and NO_PROXY, as urlopen does.
        self._opener = urllib.request.build_opener(_NoRedirects)

    def request(
        self, method: str, path: str, body: Optional[bytes] = None, key: Optional[str] = None
    ) -> Reply:
        """
        Tries until the API answers. `key` is the Idempotency-Key: with it, a repeat after a lost reply takes effect once.
        Raises Refused, or Unreachable once `give_up_after` is over.
        """
        give_up_at = time.monotonic() + self.give_up_after
        attempts = 0
        while True:
            attempts += 1
            try:
                return self.attempt(method, path, body, key, timeout=max(0.1, give_up_at - time.monotonic()))
            except TryAgain as failure:
                pause = failure.pause(attempts)
                if time.monotonic() + pause > give_up_at:
                    raise Unreachable(
                        f"{self._url} gave no answer in {attempts} attempts: {failure}"
                    ) from failure
                time.sleep(pause)

    def attempt(
        self,
        method: str,
        path: str,
        body: Optional[bytes] = None,
        key: Optional[str] = None,
        timeout: float = 60.0,
    ) -> Reply:
        """Tries once. Raises TryAgain or Refused, and ValueError if `key` is none."""
        if key is not None and not _KEY.fullmatch(key):
            raise ValueError(f"Not an Idempotency-Key, which is of 1 to 255 characters of printable ASCII: {key!r}")
        headers = {} if key is None else {"Idempotency-Key": key}
        try:
            with self.open(method, path, body, headers, min(timeout, self._attempt_timeout)) as response:
                return Reply(response.status, response.headers, json.loads(response.read()))
        except ValueError:
            # Cut off, or a proxy's page. The API repeats its reply to the same key.
            raise TryAgain("the reply was not JSON") from None
        except (OSError, http.client.HTTPException) as failure:
            raise TryAgain(_describe(failure)) from failure

    def download(self, path: str, accept: str) -> Iterator[bytes]:
        """
        Yields a reply in parts as it comes. Tries again until it begins; what was read of it cannot be taken back. Raises Refused,
        or Unreachable if it does not begin within `give_up_after` or breaks off.
        """
        give_up_at = time.monotonic() + self.give_up_after
        attempts = 0
        while True:
            attempts += 1
            has_begun = False
            try:
                timeout = max(0.1, min(self._attempt_timeout, give_up_at - time.monotonic()))
                with self.open("GET", path, None, {"Accept": accept}, timeout) as response:
                    while part := response.read(_PART):
                        has_begun = True
                        yield part
                    return
            except TryAgain as again:
                failure = again
            except (OSError, http.client.HTTPException) as broken:
                if has_begun:
                    raise Unreachable(f"The download broke off: {_describe(broken)}") from broken
                failure = TryAgain(_describe(broken))
            pause = failure.pause(attempts)
            if time.monotonic() + pause > give_up_at:
                raise Unreachable(f"{self._url} gave no answer in {attempts} attempts: {failure}")
            time.sleep(pause)

    def open(
        self, method: str, path: str, body: Optional[bytes], headers: dict[str, str], timeout: float
    ) -> Any:
        """The reply, unread. Raises TryAgain or Refused for a status of 300 or above, and OSError or HTTPException."""
        if body is not None:
            headers = {**headers, "Content-Type": "application/json"}
        request = urllib.request.Request(self._url + path, body, {**self._headers, **headers}, method=method)
        try:
            return self._opener.open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            with error:
                if error.code in (408, 429) or error.code >= 500:
                    raise TryAgain(
                        f"the API answered {error.code}", _retry_after(error.headers.get("Retry-After") or "")
                    ) from None
                # A redirect is refused, too.
                raise Refused(error.code, _detail(error), error.headers.get("Job-Status")) from None


def new_key() -> str:
    """An Idempotency-Key."""
    return str(uuid.uuid4())


def _retry_after(value: str) -> float:
    """Seconds from now; 0 if the header is absent or makes no sense."""
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0


def _detail(error: urllib.error.HTTPError) -> Any:
    try:
        return json.loads(error.read())["detail"]
    except (ValueError, TypeError, KeyError, OSError, http.client.HTTPException):
        return error.reason


def _describe(failure: Exception) -> str:
    reason = getattr(failure, "reason", None) or failure
    return str(reason) or type(reason).__name__
