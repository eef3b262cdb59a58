"""GitHub's REST API: paging, rate limits, conditional requests. https://docs.github.com/en/rest"""

from __future__ import annotations

import base64
import binascii
import email.utils
import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeAlias
from urllib.parse import quote

import httpx

from connectors.connection import GitHubConnection
from connectors.errors import InvalidResponse, NotFound, RateLimited, SourceError
from connectors.http import ApiClient, absolute, described, parsed, retry_after

Payload: TypeAlias = dict[str, Any]

API_VERSION = "2022-11-28"
PAGE_SIZE = 100
SECONDARY_LIMIT_WAIT = 60.0
"""Seconds. "Wait for at least one minute before retrying", where a secondary limit names no time:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"""


@dataclass(frozen=True, slots=True)
class Page:
    items: list[Payload]
    next: str | None
    digest: bytes
    """Of the body, by which a server that repeats itself is noticed."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A file in a tree. `mode` is git's: 120000 for a symbolic link. `size` is in bytes."""

    path: str
    sha: str
    mode: str
    size: int


@dataclass(frozen=True, slots=True)
class Tree:
    etag: str | None
    blobs: tuple[Blob, ...]


class GitHubClient:
    """One connection to GitHub or GitHub Enterprise Server. Every method may raise SourceError."""

    def __init__(self, connection: GitHubConnection, transport: httpx.BaseTransport | None = None) -> None:
        headers = {
            "Authorization": f"Bearer {connection.token.get_secret_value().strip()}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": API_VERSION,
            "User-Agent": "headrace",
        }
        self._api = ApiClient(connection.base_url, headers, check=refusal, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def requests(self) -> int:
        return self._api.requests

    def close(self) -> None:
        self._api.close()

    def get(self, path: str, **params: Any) -> Payload:
        """An object."""
        return self._api.send("GET", path, params=params, parse=_parsed_object)

    def headers(self, path: str) -> httpx.Headers:
        """Headers of an answer: the token's scopes, and what is left of its quota."""
        return self._api.send("GET", path, parse=lambda response: response.headers)

    def listing(self, path: str, **params: Any) -> Iterator[Payload]:
        """All objects of a listing, in the order of the server. Ends where pages begin to repeat."""
        page = self._page(path, {"per_page": PAGE_SIZE, **params})
        seen: set[bytes] = set()
        while page.digest not in seen:
            seen.add(page.digest)
            yield from page.items
            if not page.next:
                return
            page = self._page(page.next)

    def repository(self, name: str) -> Payload:
        return self.get(f"repos/{quote(name)}")

    def issue(self, repository: str, number: int) -> Payload:
        """An issue, or a pull request in the form of an issue."""
        return self.get(f"repos/{quote(repository)}/issues/{number}")

    def issues(self, repository: str, since: datetime | None) -> Iterator[list[Payload]]:
        """Pages of issues and pull requests updated at or after `since`, least recently updated first.

        Objects can stand on two pages. One that is updated while pages are read moves to the end, and where
        pages have numbers all later ones move up by one: the first of the next page would be missed. So the
        next page is asked for by time where the server honours `since`, and by its link elsewhere.
        """
        path = f"repos/{quote(repository)}/issues"
        params = {"state": "all", "sort": "updated", "direction": "asc", "per_page": PAGE_SIZE}
        page = self._page(path, _with_since(params, since))
        by_time = since is None or not _reaches_before(page, since)
        seen: set[bytes] = set()
        while page.digest not in seen:
            seen.add(page.digest)
            if any(not isinstance(item.get("number"), int) for item in page.items):
                raise InvalidResponse(path, "an issue without a number")
            yield page.items
            link, reached = page.next, _reached(page)
            if not link:
                return
            if by_time and reached:
                page = self._page(path, _with_since(params, reached))
                by_time = not _reaches_before(page, reached)
            if not (by_time and reached):
                page = self._page(link)

    def tree(self, repository: str, ref: str, etag: str | None = None) -> Tree | None:
        """All files under `ref`, or None if they are as they were when the answer had this `etag`.

        https://docs.github.com/en/rest/git/trees#get-a-tree
        """
        conditions = {"If-None-Match": etag} if etag else {}
        response = self._api.send(
            "GET", _tree_path(repository, ref), params={"recursive": "1"}, headers=conditions, parse=_complete
        )
        if response.status_code == 304:
            return None
        blobs = tuple(self._blobs(repository, ref, _parsed_object(response), prefix=""))
        return Tree(response.headers.get("etag"), blobs)

    def blob(self, repository: str, sha: str) -> bytes:
        """https://docs.github.com/en/rest/git/blobs#get-a-blob"""
        path = f"repos/{quote(repository)}/git/blobs/{quote(sha)}"
        return self._api.send("GET", path, parse=_decoded_blob)

    def last_commit(self, repository: str, ref: str, path: str) -> Payload:
        """The newest commit on `ref` that touched `path`; empty if the server names none."""
        answer = self._page(f"repos/{quote(repository)}/commits", {"sha": ref, "path": path, "per_page": 1})
        return answer.items[0] if answer.items else {}

    def _page(self, link: str, params: Mapping[str, Any] | None = None) -> Page:
        return self._api.send("GET", link, params=params, parse=_parsed_page)

    def _blobs(self, repository: str, ref: str, answer: Payload, prefix: str) -> Iterator[Blob]:
        """Files of a tree; a tree too large for one answer is walked level by level."""
        truncated = bool(answer.get("truncated"))
        if truncated:
            answer = self.get(_tree_path(repository, ref))
        for entry in answer.get("tree") or ():
            path = f"{prefix}{entry['path']}"
            if entry.get("type") == "blob":
                yield Blob(path, entry["sha"], str(entry.get("mode", "")), int(entry.get("size") or 0))
            elif truncated and entry.get("type") == "tree":
                inner = self.get(_tree_path(repository, entry["sha"]), recursive="1")
                yield from self._blobs(repository, entry["sha"], inner, f"{path}/")


def moment(value: str | None) -> datetime | None:
    """A time as GitHub writes it: `2026-01-02T03:04:05Z`. Raises ValueError."""
    if not value:
        return None
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def refusal(response: httpx.Response) -> SourceError | None:
    """Tells a rate limit from a missing permission: GitHub answers 403 for both.

    https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#rate-limit-errors
    """
    where = str(response.url).split("?", 1)[0]
    if response.status_code == 451:
        return NotFound(where)
    if response.status_code not in (403, 429):
        return None
    if (wait := retry_after(response)) is not None:
        return RateLimited(where, wait)
    if response.headers.get("x-ratelimit-remaining") == "0":
        return RateLimited(where, _until_reset(response))
    words = described(response).lower()
    if "rate limit" in words or "abuse detection" in words:
        return RateLimited(where, SECONDARY_LIMIT_WAIT)
    return None


def _until_reset(response: httpx.Response) -> float | None:
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


def _with_since(params: Mapping[str, Any], since: datetime | None) -> dict[str, Any]:
    return {**params, "since": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"} if since else dict(params)


def _reaches_before(page: Page, since: datetime) -> bool:
    """Whether a page holds what was not asked for: the server does not know `since`."""
    whole_second = since.replace(microsecond=0)
    return any(when < whole_second for when in _update_times(page))


def _reached(page: Page) -> datetime | None:
    """From when to ask for the next page: a second before the last object, because others may share its second.

    None if that would give the same page again, or if the page is not in order.
    """
    times = _update_times(page)
    if not times or times != sorted(times):
        return None
    reached = times[-1] - timedelta(seconds=1)
    return reached if times[0] < reached else None


def _update_times(page: Page) -> list[datetime]:
    try:
        return [when for item in page.items if (when := moment(item.get("updated_at")))]
    except (TypeError, ValueError):
        return []


def _tree_path(repository: str, ref: str) -> str:
    return f"repos/{quote(repository)}/git/trees/{quote(ref)}"


def _complete(response: httpx.Response) -> httpx.Response:
    """The answer itself, once its body is known to be whole."""
    if response.status_code != 304:
        _parsed_object(response)
    return response


def _parsed_page(response: httpx.Response) -> Page:
    answer = parsed(response)
    items = answer.get("repositories") if isinstance(answer, dict) else answer
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise InvalidResponse(str(response.url).split("?", 1)[0], "not a list of objects")
    return Page(items, _next(response), hashlib.sha256(response.content).digest())


def _next(response: httpx.Response) -> str | None:
    link = response.links.get("next", {}).get("url")
    return absolute(link, str(response.url)) if link else None


def _parsed_object(response: httpx.Response) -> Payload:
    answer = parsed(response)
    if not isinstance(answer, dict):
        raise InvalidResponse(str(response.url).split("?", 1)[0], "not an object")
    return answer


def _decoded_blob(response: httpx.Response) -> bytes:
    answer = _parsed_object(response)
    content = str(answer.get("content", ""))
    if answer.get("encoding") != "base64":
        return content.encode()
    try:
        return base64.b64decode(content)
    except binascii.Error as error:
        raise InvalidResponse(str(response.url), f"not base64: {error}") from error
