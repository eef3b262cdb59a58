"""JSON from elsewhere, bounded in time and size."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx

TIMEOUT = 5.0
"""Seconds, of each step and of the whole answer."""
MOST_BYTES = 256 * 1024


class FetchFailed(Exception):
    """No JSON object came. `status` and `error` are those of an answer that refuses (RFC 6749, section 5.2)."""

    def __init__(self, reason: str, status: int = 0, error: str = "") -> None:
        self.status = status
        self.error = error
        super().__init__(reason)


def open_client(transport: httpx.BaseTransport | None = None, *, proxies: bool = True) -> httpx.Client:
    """A client that follows no redirects. Requests are rare: it keeps no connection, and so need not be closed."""
    return httpx.Client(
        transport=transport,
        timeout=TIMEOUT,
        follow_redirects=False,
        trust_env=proxies,
        limits=httpx.Limits(max_keepalive_connections=0),
        headers={"Accept": "application/json"},
    )


def fetch_object(client: httpx.Client, request: httpx.Request, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """The JSON object that a request is answered with. Redirects are not followed. Raises FetchFailed."""
    where = request.url.copy_with(query=None)
    try:
        response = client.send(request, stream=True)
        try:
            body = _read(response, most_bytes)
        finally:
            response.close()
        found = json.loads(body)
    except httpx.HTTPError as trouble:
        raise FetchFailed(f"{where} does not answer ({type(trouble).__name__})") from None
    except ValueError:
        raise FetchFailed(f"{where} answers {response.status_code} without JSON", response.status_code) from None
    if not isinstance(found, dict) or response.status_code != 200:
        error = str(found.get("error", "")) if isinstance(found, dict) else ""
        raise FetchFailed(f"{where} answers {response.status_code} {error}".strip(), response.status_code, error)
    return found


def _read(response: httpx.Response, most_bytes: int) -> bytes:
    body, until = b"", time.monotonic() + TIMEOUT
    for part in response.iter_bytes():
        body += part
        if len(body) > most_bytes or time.monotonic() > until:
            raise FetchFailed(f"{response.request.url.host} sends more than {most_bytes} bytes, or too slowly")
    return body
