"""GitHub's answers: pages, links, times, and what a refusal means. Pure. https://docs.github.com/en/rest"""

from __future__ import annotations

import base64
import binascii
import email.utils
import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

import httpx

from connectors.errors import InvalidResponse, NotFound, RateLimited, SourceError
from connectors.http import absolute, described, parsed, retry_after

Payload: TypeAlias = dict[str, Any]

SECONDARY_LIMIT_WAIT = 60.0
"""Seconds. "Wait for at least one minute before retrying", where a secondary limit names no time:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"""


@dataclass(frozen=True, slots=True)
class Page:
    """Some objects of a listing. `etag` is the server's name for this state of it, where it gives one."""

    items: list[Payload]
    next: str | None
    digest: bytes
    """Of the body, by which a server that repeats itself is noticed."""
    etag: str | None = None


def moment(value: str | None) -> datetime | None:
    """A time as GitHub writes it: `2026-01-02T03:04:05Z`. Raises ValueError."""
    if not value:
        return None
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def updated_at(payload: Payload) -> datetime | None:
    """When an object was last updated; None where it does not tell, or tells no time."""
    try:
        return moment(payload.get("updated_at"))
    except (TypeError, ValueError):
        return None


def page(response: httpx.Response) -> Page | None:
    """A page of a listing; None if it is as it was when a conditional request named its state."""
    if response.status_code == 304:
        return None
    answer = parsed(response)
    items = answer.get("repositories") if isinstance(answer, dict) else answer
    if not isinstance(items, list) or not all(isinstance(item, dict | None) for item in items):
        raise InvalidResponse(place(response), "not a list of objects")
    items = [item for item in items if item is not None]  # what the token may not see
    digest = hashlib.sha256(response.content).digest()
    return Page(items, _next(response), digest, response.headers.get("etag"))


def single(response: httpx.Response) -> Payload:
    """One object. Raises InvalidResponse."""
    answer = parsed(response)
    if not isinstance(answer, dict):
        raise InvalidResponse(place(response), "not an object")
    return answer


def whole(response: httpx.Response) -> httpx.Response:
    """The answer itself, once its body is known to be whole."""
    if response.status_code != 304:
        single(response)
    return response


def decoded_blob(response: httpx.Response) -> bytes:
    """https://docs.github.com/en/rest/git/blobs#get-a-blob"""
    answer = single(response)
    content = answer.get("content")
    if not isinstance(content, str) or answer.get("encoding") == "none":
        raise InvalidResponse(place(response), "a blob without its content")
    if answer.get("encoding") != "base64":
        return content.encode()
    try:
        return base64.b64decode(content)
    except binascii.Error as error:
        raise InvalidResponse(place(response), f"not base64: {error}") from error


def server_time(response: httpx.Response) -> datetime:
    """What the server's clock says, or ours where it does not tell."""
    try:
        return email.utils.parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)


def refusal(response: httpx.Response) -> SourceError | None:
    """Tells a rate limit from a missing permission: GitHub answers 403 for both.

    https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#rate-limit-errors
    """
    where = place(response)
    if response.status_code in (451, 501):  # blocked by law; not implemented by this server
        return NotFound(where)
    if response.status_code not in (403, 429):
        return None
    if (wait := retry_after(response.headers)) is not None:
        return RateLimited(where, wait)
    if response.headers.get("x-ratelimit-remaining") == "0":
        return RateLimited(where, until_reset(response))
    words = described(response).lower()
    if "rate limit" in words or "abuse detection" in words:
        return RateLimited(where, SECONDARY_LIMIT_WAIT)
    return None


def until_reset(response: httpx.Response) -> float | None:
    """Seconds until the quota is full again, by the server's clock where it tells it."""
    try:
        reset = float(response.headers["x-ratelimit-reset"])
    except (KeyError, ValueError):
        return None
    try:
        now = email.utils.parsedate_to_datetime(response.headers["date"]).timestamp()
    except (KeyError, ValueError):
        now = time.time()
    return max(reset - now, 0.0) + 1.0


def tier(path: str) -> str:
    """The quota that a request counts on; GitHub counts these apart, and names them so in `GET /rate_limit`."""
    if path.endswith("/graphql"):
        return "graphql"
    return "search" if "/search/" in path else "core"


def place(response: httpx.Response) -> str:
    """URL of the request without its parameters."""
    return str(response.url).split("?", 1)[0]


def _next(response: httpx.Response) -> str | None:
    link = response.links.get("next", {}).get("url")
    return absolute(link, str(response.url)) if link else None
