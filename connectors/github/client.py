"""GitHub's APIs: paging, conditional requests, credentials. https://docs.github.com/en/rest"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx

from connectors.errors import AuthenticationFailed, InvalidResponse, SourceError
from connectors.github import graphql
from connectors.github.credentials import credentials
from connectors.github.responses import (
    Page,
    Payload,
    decoded_blob,
    page,
    refusal,
    server_time,
    single,
    tier,
    updated_at,
    whole,
)
from connectors.github.settings import GitHubConnection
from connectors.http import ApiClient

logger = logging.getLogger(__name__)

T = TypeVar("T")

API_VERSION = "2022-11-28"
PAGE_SIZE = 100


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
        self._credentials = credentials(connection, self._exchanged)
        self._api = self._opened(connection.base_url, transport)
        self._graphql = self._opened(graphql.endpoint(connection.base_url), transport)
        self._without_graphql = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def requests(self) -> int:
        return self._api.requests + self._graphql.requests

    def close(self) -> None:
        self._api.close()
        self._graphql.close()

    def get(self, path: str, **params: Any) -> Payload:
        """An object."""
        return self._get(path, single, params=params)

    def headers(self, path: str) -> httpx.Headers:
        """Headers of an answer: the token's scopes, and what is left of its quota."""
        return self._get(path, lambda response: response.headers)

    def pages(self, path: str, etag: str | None = None, **params: Any) -> Iterator[Page]:
        """Pages of a listing, in the order of the server. Ends where pages begin to repeat.

        None at all if the first page is as it was when the answer had this `etag`.
        """
        found = self._page(path, {"per_page": PAGE_SIZE, **params}, etag)
        seen: set[bytes] = set()
        while found and found.digest not in seen:
            seen.add(found.digest)
            yield found
            found = self._page(found.next) if found.next else None

    def listing(self, path: str, **params: Any) -> Iterator[Payload]:
        """All objects of a listing."""
        for found in self.pages(path, **params):
            yield from found.items

    def repository(self, name: str) -> tuple[Payload, datetime]:
        """A repository, and the server's time. One that was renamed answers under its new name."""
        return self._get(f"repos/{quote(name)}", lambda response: (single(response), server_time(response)))

    def issue(self, repository: str, number: int) -> Payload:
        """An issue, or a pull request in the form of an issue. One that was transferred answers from where it is."""
        return self.get(f"repos/{quote(repository)}/issues/{number}")

    def issues(self, repository: str, since: datetime | None, etag: str | None = None) -> Iterator[Page]:
        """Pages of issues and pull requests updated at or after `since`, least recently updated first.

        Objects can stand on two pages. One that is updated while pages are read moves to the end, and where
        pages have numbers all later ones move up by one: the first of the next page would be missed. So the
        next page is asked for by time where the server honours `since`, and by its link elsewhere.
        No page at all if the first is as it was when the answer had this `etag`.
        """
        path = f"repos/{quote(repository)}/issues"
        params = {"state": "all", "sort": "updated", "direction": "asc", "per_page": PAGE_SIZE}
        found = self._page(path, _with_since(params, since), etag)
        by_time = since is None or (found is not None and not _reaches_before(found, since))
        seen: set[bytes] = set()
        while found and found.digest not in seen:
            seen.add(found.digest)
            if any(not isinstance(item.get("number"), int) for item in found.items):
                raise InvalidResponse(path, "an issue without a number")
            yield found
            link, reached = found.next, _reached(found)
            if not link:
                return
            if by_time and reached:
                found = self._page(path, _with_since(params, reached))
                by_time = found is not None and not _reaches_before(found, reached)
            if not (by_time and reached):
                found = self._page(link)

    def tree(self, repository: str, ref: str, etag: str | None = None) -> Tree | None:
        """All files under `ref`, or None if they are as they were when the answer had this `etag`.

        https://docs.github.com/en/rest/git/trees#get-a-tree
        """
        response = self._get(_tree_path(repository, ref), whole, etag=etag, params={"recursive": "1"})
        if response.status_code == 304:
            return None
        blobs = tuple(self._blobs(repository, ref, single(response), prefix=""))
        return Tree(response.headers.get("etag"), blobs)

    def blob(self, repository: str, sha: str) -> bytes:
        """https://docs.github.com/en/rest/git/blobs#get-a-blob"""
        return self._get(f"repos/{quote(repository)}/git/blobs/{quote(sha)}", decoded_blob)

    def last_commit(self, repository: str, ref: str, path: str) -> Payload:
        """The newest commit on `ref` that touched `path`; empty if the server names none."""
        answer = self._page(f"repos/{quote(repository)}/commits", {"sha": ref, "path": path, "per_page": 1})
        return answer.items[0] if answer and answer.items else {}

    def query(self, text: str, **variables: Any) -> Payload:
        """Data of a GraphQL query. Raises SourceError; NotOffered, noted once, by servers without such an API."""
        if self._without_graphql:
            raise graphql.NotOffered(self._graphql.base_url)
        body = {"query": text, "variables": variables}
        try:
            return self._authorized(self._graphql, "POST", "graphql", graphql.data, json=body)
        except SourceError as error:
            found = graphql.offered(error)
            if isinstance(found, graphql.NotOffered):
                self._without_graphql = True
                logger.warning("no discussions are read, because the server has no GraphQL API: %s", error)
            raise found from error

    def _opened(self, base_url: str, transport: httpx.BaseTransport | None) -> ApiClient:
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": API_VERSION,
            "User-Agent": "headrace",
        }
        name = self._credentials.name
        return ApiClient(base_url, headers, check=refusal, credential=name, tier=tier, transport=transport)

    def _exchanged(self, path: str, claim: str) -> Payload:
        """https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app"""
        return self._api.send("POST", path, parse=single, headers={"Authorization": f"Bearer {claim}"})

    def _page(self, link: str, params: Mapping[str, Any] | None = None, etag: str | None = None) -> Page | None:
        return self._get(link, page, etag=etag, params=params)

    def _get(
        self,
        path: str,
        parse: Callable[[httpx.Response], T],
        *,
        etag: str | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> T:
        conditions = {"If-None-Match": etag} if etag else {}
        return self._authorized(self._api, "GET", path, parse, params=params, headers=conditions)

    def _authorized(
        self,
        api: ApiClient,
        method: str,
        path: str,
        parse: Callable[[httpx.Response], T],
        *,
        headers: Mapping[str, str] | None = None,
        **request: Any,
    ) -> T:
        """Send with credentials; once more with new ones where these were refused and can be renewed."""
        shown = {**(headers or {}), "Authorization": self._credentials.authorization()}
        try:
            return api.send(method, path, parse=parse, headers=shown, **request)
        except AuthenticationFailed:
            if not self._credentials.refused():
                raise
        shown["Authorization"] = self._credentials.authorization()
        return api.send(method, path, parse=parse, headers=shown, **request)

    def _blobs(self, repository: str, ref: str, answer: Payload, prefix: str) -> Iterator[Blob]:
        """Files of a tree; a tree too large for one answer is walked level by level."""
        truncated = bool(answer.get("truncated"))
        if truncated:
            answer = self.get(_tree_path(repository, ref))
        for entry in answer.get("tree") or ():
            if not (isinstance(entry, dict) and entry.get("path") and entry.get("sha")):
                raise InvalidResponse(_tree_path(repository, ref), "an entry without a path or SHA")
            path = f"{prefix}{entry['path']}"
            if entry.get("type") == "blob":
                yield Blob(path, entry["sha"], str(entry.get("mode", "")), int(entry.get("size") or 0))
            elif truncated and entry.get("type") == "tree":
                inner = self.get(_tree_path(repository, entry["sha"]), recursive="1")
                yield from self._blobs(repository, entry["sha"], inner, f"{path}/")


def _with_since(params: Mapping[str, Any], since: datetime | None) -> dict[str, Any]:
    return {**params, "since": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"} if since else dict(params)


def _reaches_before(found: Page, since: datetime) -> bool:
    """Whether a page holds what was not asked for: the server does not know `since`."""
    whole_second = since.replace(microsecond=0)
    return any(when < whole_second for when in _update_times(found))


def _reached(found: Page) -> datetime | None:
    """From when to ask for the next page: a second before the last object, because others may share its second.

    None if that would give the same page again, or if the page is not in order.
    """
    times = _update_times(found)
    if not times or times != sorted(times):
        return None
    reached = times[-1] - timedelta(seconds=1)
    return reached if times[0] < reached else None


def _update_times(found: Page) -> list[datetime]:
    return [when for item in found.items if (when := updated_at(item))]


def _tree_path(repository: str, ref: str) -> str:
    return f"repos/{quote(repository)}/git/trees/{quote(ref)}"
