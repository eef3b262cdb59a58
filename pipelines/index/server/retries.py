"""Asks a Qdrant server again what it could not answer at that moment, for as long as the caller can wait.

A node that restarts, moves a shard or is asked too much answers 429, 502, 503 or 504, or breaks the connection, and a
cluster answers 500 until a replica that went away is given up. Each request of Headrace may be repeated: points are
written and removed by id or condition, and an alias is set.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import stamina
from httpx import Request, Response
from qdrant_client.http.exceptions import ResponseHandlingException

from connectors.http import retry_after

if TYPE_CHECKING:
    from qdrant_client import QdrantClient
    from qdrant_client.http.api_client import Send

SEARCH_SECONDS = 5.0
"""How long a request for somebody who waits may take, with all of its attempts."""
SYNC_SECONDS = 120.0
"""How long a request of a sync may: nodes restart one after the other while a cluster is upgraded."""

_PASSING = frozenset({429, 500, 502, 503, 504})


def retry_requests(client: QdrantClient, seconds: float) -> None:
    """Let a client repeat its requests, each within this time; one that does so already is left as it is."""
    api = client.http.client
    if not isinstance(api.middleware, RetryMiddleware):
        api.middleware = RetryMiddleware(seconds)


class RetryMiddleware:
    """In the client's own form: it sees each request on its way out, whichever method of the client it serves."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __call__(self, request: Request, send: Send) -> Response:
        deadline = time.monotonic() + self._seconds
        try:
            for attempt in stamina.retry_context(
                on=partial(_backoff, deadline), attempts=None, timeout=self._seconds, wait_initial=0.1, wait_max=5.0
            ):
                with attempt:
                    response = _sent(send, _within(request, deadline))
                    if response.status_code in _PASSING:
                        raise _NotNow(response)
        except _NotNow as passing:
            return passing.response
        return response


class _NoAnswer(ResponseHandlingException):
    """No answer came. What is logged of an attempt names the server: "connection refused" could be anybody's."""

    def __str__(self) -> str:
        return f"the Qdrant server cannot be reached ({self.source})"


class _NotNow(Exception):
    """The server asks to be asked later."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__(f"the Qdrant server answered {response.status_code}")


def _backoff(deadline: float, error: Exception) -> bool | float:
    """Whether another attempt can help, or after how many seconds. One past the caller's time cannot."""
    if isinstance(error, _NotNow) and (wait := retry_after(error.response.headers)):
        return wait if time.monotonic() + wait < deadline else False
    return isinstance(error, _NotNow | ResponseHandlingException)


def _sent(send: Send, request: Request) -> Response:
    try:
        return send(request)
    except ResponseHandlingException as error:
        raise _NoAnswer(error.source) from None


def _within(request: Request, deadline: float) -> Request:
    """A node that takes a request and does not answer is waited for no longer than the caller can."""
    left = max(deadline - time.monotonic(), 0.1)
    timeouts: dict[str, float | None] = request.extensions.get("timeout", {})
    request.extensions["timeout"] = {name: min(limit or left, left) for name, limit in timeouts.items()}
    return request
