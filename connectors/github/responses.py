"""GitHub's answers: pages, links, times, and what a refusal means. Pure. https://docs.github.com/en/rest"""

from __future__ import annotations

import email.utils
import hashlib
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import httpx
from pydantic import BaseModel

from connectors.errors import AccessDenied, Blocked, InvalidResponse, NotFound, RateLimited, SourceError
from connectors.github.payloads.git import GitBlob
from connectors.github.payloads.kept import KeptRepository
from connectors.github.payloads.parsing import NotAsDocumented, parse
from connectors.github.payloads.rest import BlockedAnswer, GitHubRepository
from connectors.http import absolute, described, parsed, retry_after

M = TypeVar("M", bound=BaseModel)

_SIGN_ON = re.compile(r"url=([^?;\s]+)")
_PARTIAL_RESULTS = re.compile(r"partial-results\s*;\s*organizations=([\d, ]*)", re.IGNORECASE)
_ROLE_TOO_LOW = "Must have "
"""Begins what GitHub says then: "Must have push access to view repository collaborators." """
SECONDARY_LIMIT_WAIT = 60.0
"""Seconds. "Wait for at least one minute before retrying", where a secondary limit names no time:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"""


@dataclass(frozen=True, slots=True)
class RestPage(Generic[M]):
    """Some objects of a listing. `etag` is the server's name for this state of it, where it gives one."""

    items: list[M]
    next: str | None
    digest: bytes
    """Of the body, by which a server that repeats itself is noticed."""
    etag: str | None = None
    omitted: tuple[str, ...] = ()
    """Ids of organisations of which GitHub has left everything out: their single sign-on knows nothing of the token."""
    has_gaps: bool = False
    """Whether null stood in place of some: of what the token may not see, or what the server failed to give."""


@dataclass(slots=True)
class ListingState:
    """The ETag under which a whole listing can be asked for conditionally; None where there is none."""

    etag: str | None
    _pages: int = 0

    def add(self, page: RestPage[M]) -> None:
        # The first page tells that nothing has changed only where it is the only one.
        self.etag = None if self._pages or page.next else page.etag
        self._pages += 1


@dataclass(frozen=True, slots=True)
class DescribedRepository:
    """What a repository is at `read_at`, by the server's clock. With `kept` it can be asked whether it is so still."""

    payload: GitHubRepository
    read_at: datetime
    kept: KeptRepository | None


def parse_page(response: httpx.Response, model: type[M]) -> RestPage[M] | None:
    """A page of a listing; None if it is as it was when a conditional request named its state.

    Raises InvalidResponse for what is no listing, and NotAsDocumented for an object in it that cannot be read.
    """
    if response.status_code == 304:
        return None
    answer = parsed(response)
    items = answer.get("repositories") if isinstance(answer, dict) else answer
    if not isinstance(items, list) or not all(isinstance(item, dict | None) for item in items):
        raise InvalidResponse(request_url(response), "not a list of objects")
    found = [parse(model, item) for item in items if item is not None]
    if items and not found:
        raise InvalidResponse(request_url(response), "a list of nothing but null")
    digest = hashlib.sha256(response.content).digest()
    has_gaps = len(found) < len(items)
    return RestPage(found, _next_link(response), digest, etag(response), _omitted(response), has_gaps)


def whole_listing(path: str, pages: Iterable[RestPage[M]]) -> Iterator[RestPage[M]]:
    """`pages`, where an object that cannot even be named means that this is no such listing."""
    try:
        yield from pages
    except NotAsDocumented as error:
        raise InvalidResponse(path, str(error)) from error


def parse_object(response: httpx.Response, model: type[M]) -> M:
    """One object. Raises InvalidResponse for what is none, and NotAsDocumented for one that cannot be read."""
    return parse(model, object_of(response))


def object_of(response: httpx.Response) -> Any:
    """The JSON object of an answer, for `parse`. Raises InvalidResponse."""
    answer = parsed(response)
    if not isinstance(answer, dict):
        raise InvalidResponse(request_url(response), "not an object")
    return answer


def parse_whole(response: httpx.Response, model: type[M]) -> M:
    """One object, of which a part is no better than nothing. Raises InvalidResponse."""
    try:
        return parse_object(response, model)
    except NotAsDocumented as error:
        raise InvalidResponse(request_url(response), str(error)) from error


def parse_repository(response: httpx.Response, path: str, kept: KeptRepository | None) -> DescribedRepository:
    """`kept` is what a conditional request has named. Raises InvalidResponse."""
    if kept and response.status_code == 304:
        return DescribedRepository(kept.payload, server_time(response), kept)
    payload, name = parse_whole(response, GitHubRepository), etag(response)
    keep = KeptRepository(path=path, told_at=datetime.now(UTC), etag=name, payload=payload) if name else None
    return DescribedRepository(payload, server_time(response), keep)


def parse_blob(response: httpx.Response) -> bytes:
    """https://docs.github.com/en/rest/git/blobs#get-a-blob"""
    try:
        return parse_object(response, GitBlob).decode()
    except NotAsDocumented as error:
        raise InvalidResponse(request_url(response), str(error)) from error


def etag(response: httpx.Response) -> str | None:
    """The server's name for this state of it; None for one that could not be sent back."""
    found: str | None = response.headers.get("etag")
    return found if found and found.isascii() else None


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
    where = request_url(response)
    if response.status_code == 451:
        return Blocked(where, _block_reason(response))
    if response.status_code == 501:  # not implemented by this server
        return NotFound(where)
    if response.status_code not in (403, 429):
        return None
    if (wait := retry_after(response.headers)) is not None:
        return RateLimited(where, wait)
    if response.headers.get("x-ratelimit-remaining") == "0":
        return RateLimited(where, seconds_until_reset(response))
    words = described(response)
    if "rate limit" in words.lower() or "abuse detection" in words.lower():
        return RateLimited(where, SECONDARY_LIMIT_WAIT)
    if response.status_code == 429:
        return None
    # Where the account's role is too low, the header names permissions of the token all the same.
    permission = "" if words.startswith(_ROLE_TOO_LOW) else response.headers.get("x-accepted-github-permissions", "")
    return AccessDenied(where, f"{words}{_sign_on(response)}", permission)


def _block_reason(response: httpx.Response) -> str:
    """https://docs.github.com/en/rest/repos/repos#get-a-repository · `reason` is a word such as `dmca` or `tos`."""
    try:
        block = parse_object(response, BlockedAnswer).block
    except (InvalidResponse, NotAsDocumented):
        block = None
    told = [part for part in (block.reason, block.html_url) if part] if block else []
    return ", ".join(told or [described(response)])


def seconds_until_reset(response: httpx.Response) -> float | None:
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


def rate_limit_tier(path: str) -> str:
    """The quota that a request counts on; GitHub counts these apart, and names them so in `GET /rate_limit`."""
    if path.endswith("/graphql"):
        return "graphql"
    return "search" if "/search/" in path else "core"


def request_url(response: httpx.Response) -> str:
    """URL of the request without its parameters."""
    return str(response.url).split("?", 1)[0]


def _sign_on(response: httpx.Response) -> str:
    """Where to authorise a token that an organisation's single sign-on does not know; the query holds a ticket."""
    named = _SIGN_ON.search(response.headers.get("x-github-sso", ""))
    return f"; authorise the token at {named[1]}" if named else ""


def _omitted(response: httpx.Response) -> tuple[str, ...]:
    """https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api#authenticating-with-a-personal-access-token"""
    named = _PARTIAL_RESULTS.search(response.headers.get("x-github-sso", ""))
    return tuple(re.findall(r"\d+", named[1])) if named else ()


def _next_link(response: httpx.Response) -> str | None:
    link = response.links.get("next", {}).get("url")
    return absolute(link, str(response.url)) if link else None
