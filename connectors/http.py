"""HTTP as the providers of company software speak it: limits, retries, and answers that are not what they claim."""

from __future__ import annotations

import email.utils
import functools
import json
import math
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Self, TypeVar
from urllib.parse import urljoin, urlsplit

import httpx
import stamina

from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    Gone,
    InvalidResponse,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    TransientError,
    Unavailable,
)
from connectors.rate_limits import LONGEST_WAIT, Limit, limit_of
from connectors.response_bodies import read_body

T = TypeVar("T")

ATTEMPTS = 6
"""For one request. Once so many of a client's requests are without an answer, each answer counted against one, it asks
only once for each: a source that is down is not asked the same again and again."""
MAX_REDIRECTS = 3
_OF_THE_PACKED_BODY = (b"content-encoding", b"content-length", b"transfer-encoding")


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """How often one request is sent at most, and by how many seconds at random each pause is longer."""

    attempts: int
    jitter: float


PATIENT = RetryBudget(ATTEMPTS, 1.0)
PROMPT = RetryBudget(2, 0.2)
"""For questions of rights: while nobody tells who may read an object now, those of before go on seeing it."""

Check = Callable[[httpx.Response], SourceError | None]
"""A provider's own reading of an answer: the error that it stands for, or None for the common rules."""


@functools.cache
def trusted() -> ssl.SSLContext:
    """The authorities that every client trusts. Reading them takes 25 ms of CPU, and a sync makes several clients."""
    return httpx.create_ssl_context()


def network() -> httpx.BaseTransport:
    """A transport to wherever a connection leads, past all proxies."""
    return httpx.HTTPTransport(verify=trusted())


class ApiClient:
    """Sends requests to one configured base URL and nowhere else, and retries what can be retried.

    Absolute links in answers (`next`, redirects) are re-anchored to the base URL, so that the token never
    reaches another host. All clients of one credential honour a rate limit that one of them met; `tier` tells
    the tier of a request's path where the provider counts them apart. Where the source is down, a `sibling` (a client
    of another of its hosts, or for other objects) and this one ask only once for each as soon as one of them does.
    Proxies are those of the environment (`HTTPS_PROXY`, `NO_PROXY`), unless there is a `transport`. `auth` adds to each
    request what `headers` cannot know.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        check: Check | None = None,
        credential: str = "",
        tier: Callable[[str], str] = lambda path: "",
        timeout: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        auth: httpx.Auth | None = None,
        sibling: ApiClient | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.requests = 0
        self._check = check
        self._credential = credential or headers.get("Authorization", "")
        self._tier = tier
        self._unanswered = 0
        self._siblings: list[ApiClient] = sibling._siblings if sibling else []
        self._siblings.append(self)
        self._lock = threading.Lock()
        self._client = httpx.Client(
            headers=dict(headers), auth=auth, timeout=timeout, transport=transport, verify=trusted()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def get_bytes(self, path: str, params: Mapping[str, Any] | None = None) -> bytes:
        """Body of a GET request. Raises SourceError."""
        return self.send("GET", path, params=params, parse=lambda response: response.content)

    def send(
        self,
        method: str,
        path: str,
        *,
        parse: Callable[[httpx.Response], T],
        retries: RetryBudget = PATIENT,
        **request: Any,
    ) -> T:
        """Send a request, retry transient failures, and return `parse(response)`.

        `path` is relative to the base URL, or an absolute link taken from an answer. A truncated body that
        `parse` rejects with InvalidResponse is asked for again.
        """
        url = self.anchored(path)
        # Attempts alone end it: stamina's own 45 seconds would cut a wait short that the provider asks for.
        failures = count(1)
        for attempt in stamina.retry_context(
            on=lambda error: self._backoff(error, lambda: next(failures) < retries.attempts),
            attempts=ATTEMPTS,
            timeout=None,
            wait_max=30.0,
            wait_jitter=retries.jitter,
        ):
            with attempt:
                unanswered = self._unanswered
                found = parse(self._send_once(method, url, request))
                if self._unanswered == unanswered:  # else it was on its way before others were left without an answer
                    self._answer()
                return found
        raise AssertionError("unreachable: the last attempt raises")

    def anchored(self, link: str) -> str:
        """`link` under the configured base URL, whichever host it names. Raises InvalidResponse."""
        try:
            target = urlsplit(link)
        except ValueError as error:
            raise InvalidResponse(self.base_url, f"a link that is no URL: {error}") from error
        if not target.netloc:
            return f"{self.base_url}/{link.lstrip('/')}"
        base = urlsplit(self.base_url)
        path = target.path
        if not f"{path}/".startswith(f"{base.path}/"):
            path = f"{base.path}/{path.lstrip('/')}"
        return f"{base.scheme}://{base.netloc}{path}" + (f"?{target.query}" if target.query else "")

    def _send_once(self, method: str, url: str, request: dict[str, Any]) -> httpx.Response:
        limit = self._limit(url)
        for _ in range(MAX_REDIRECTS + 1):
            limit.wait()
            response = self._request(method, url, request)
            if not response.has_redirect_location:
                break
            url = self.anchored(absolute(response.headers["location"], url))
            # The new location has a query of its own, or none: to add to it would ask for something else.
            request = {name: value for name, value in request.items() if name != "params"}
        refused = (self._check and self._check(response)) or common_error(response, _without_query(url))
        if isinstance(refused, RateLimited):
            if refused.retry_after is None:
                refused.retry_after = limit.back_off()
            else:
                limit.hold(refused.retry_after)
        if refused:
            raise refused
        limit.accepted()
        return response

    def _request(self, method: str, url: str, request: dict[str, Any]) -> httpx.Response:
        """Whatever is answered. Raises SourceError where nothing is."""
        with self._lock:
            self.requests += 1
        try:
            with self._client.stream(method, url, **request) as response:
                return _read(response)
        except httpx.LocalProtocolError:
            # Its message quotes the header, and so the token.
            reason = "it holds characters that a header cannot carry"
            raise AuthenticationFailed(_without_query(url), reason) from None
        except httpx.InvalidURL as error:
            raise InvalidResponse(_without_query(url), str(error)) from error
        except httpx.HTTPError as error:
            raise Unavailable(_without_query(url), f"{type(error).__name__}: {error}") from error

    def _backoff(self, error: Exception, may_retry: Callable[[], bool]) -> bool | float:
        """Whether to ask again after an error, or after how many seconds. A limit that is told is no failure."""
        if isinstance(error, RateLimited) and error.retry_after is not None:
            return error.retry_after if error.retry_after <= LONGEST_WAIT else False
        if not isinstance(error, TransientError):
            self._answer()  # a refusal is one, too
            return False
        with self._lock:
            self._unanswered += 1
            return may_retry() and sum(client._unanswered for client in self._siblings) < ATTEMPTS

    def _answer(self) -> None:
        """Trust comes back answer by answer: an object that answers does not renew all attempts for its parts."""
        with self._lock:
            self._unanswered = max(self._unanswered - 1, 0)

    def _limit(self, url: str) -> Limit:
        return limit_of(self.base_url, self._credential, self._tier(urlsplit(url).path))


def _read(response: httpx.Response) -> httpx.Response:
    """The answer with its body. Raises as `read_body`."""
    body = read_body(response)
    # As bytes: they may hold others than ASCII (RFC 9110, 5.5).
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _OF_THE_PACKED_BODY]
    return httpx.Response(response.status_code, headers=headers, content=body, request=response.request)


def absolute(link: str, url: str) -> str:
    """A `link` found in the answer of `url`, made absolute. Raises InvalidResponse."""
    try:
        return urljoin(url, link)
    except ValueError as error:
        raise InvalidResponse(_without_query(url), f"it leads to what is no URL: {error}") from error


def common_error(response: httpx.Response, where: str) -> SourceError | None:
    """What a status code means where the provider says nothing more exact.

    304 is an answer: only a conditional request gets it.
    """
    status = response.status_code
    if status < 300 or status == 304:
        return None
    if status == 429:
        return RateLimited(where, retry_after(response.headers))
    if status >= 500 or status == 408:
        return Unavailable(where, f"HTTP {status}")
    reason = described(response)
    if status == 401:
        return AuthenticationFailed(where, reason)
    if status == 403:
        return AccessDenied(where, reason)
    if status == 410:
        return Gone(where)
    if status == 404:
        return NotFound(where)
    return RequestRejected(where, status, reason)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the `Retry-After` header asks for, in either form (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        pass
    else:
        return max(seconds, 0.0) if math.isfinite(seconds) else None
    try:
        return max(email.utils.parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except ValueError:
        return None


def described(response: httpx.Response) -> str:
    """The provider's own words for an error, shortened; only the status where the body is not JSON."""
    try:
        body = response.json()
    except ValueError:
        return f"HTTP {response.status_code}"
    error = body.get("error", body) if isinstance(body, dict) else body
    message = error.get("message") if isinstance(error, dict) else error
    return str(message or f"HTTP {response.status_code}")[:200]


def parsed(response: httpx.Response) -> Any:
    """The JSON of an answer. Raises InvalidResponse."""
    try:
        return json.loads(response.content)
    except ValueError as error:
        raise InvalidResponse(_without_query(str(response.url)), f"not JSON: {error}") from error


def _without_query(url: str) -> str:
    return url.split("?", 1)[0]
