"""GitHub's APIs: paging, conditional requests, credentials. https://docs.github.com/en/rest"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from connectors.errors import InvalidResponse, SourceError
from connectors.github import graphql
from connectors.github.credentials import credentials_of, with_renewal
from connectors.github.git_host import GitHost
from connectors.github.issue_pages import IssueListing, IssuePage
from connectors.github.payloads.git import GitHubCommit, GitTree
from connectors.github.payloads.kept import KeptRepository
from connectors.github.payloads.parsing import NotAsDocumented
from connectors.github.payloads.rest import GitHubIssue, InstallationGrant
from connectors.github.responses import (
    DescribedRepository,
    RestPage,
    etag,
    parse_blob,
    parse_object,
    parse_page,
    parse_repository,
    parse_whole,
    rate_limit_tier,
    refusal,
    whole_listing,
)
from connectors.github.settings import GitHubConnection
from connectors.github.trees import FileTree, walk
from connectors.http import PATIENT, PROMPT, ApiClient, RetryBudget
from connectors.paging import PageTrail

logger = logging.getLogger(__name__)

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

API_VERSION = "2022-11-28"
PAGE_SIZE = 100


class GitHubClient:
    """One connection to GitHub or GitHub Enterprise Server.

    `git` is for what no API shows. Every method may raise SourceError; `get`, `issue`, `listing` and `query` may raise
    NotAsDocumented as well.
    """

    def __init__(self, connection: GitHubConnection, transport: httpx.BaseTransport | None = None) -> None:
        self._credentials = credentials_of(connection, self._exchange)
        self._api = self._open_api(connection.base_url, transport)
        self._graphql = self._open_api(graphql.endpoint(connection.base_url), transport, self._api)
        self.git = GitHost(connection.base_url, self._credentials, transport)
        self._without_graphql: graphql.NotOffered | None = None
        self._undefined: dict[str, graphql.UndefinedFields] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def requests(self) -> int:
        """Those of git too, which count on no quota."""
        return self._api.requests + self._graphql.requests + self.git.requests

    def close(self) -> None:
        for one in (self._api, self._graphql, self.git):
            one.close()

    def get(self, model: type[M], path: str, **params: Any) -> M:
        """An object."""
        return self._get(path, partial(parse_object, model=model), params=params)

    def ask(self, model: type[M], path: str, **params: Any) -> M:
        """An object of which it is asked only whether it may be read, without the patience of reading it."""
        return self._send(self._api, "GET", path, partial(parse_whole, model=model), params=params, retries=PROMPT)

    def first(self, model: type[M], path: str, **params: Any) -> M | None:
        """The first object of a listing, or None, without the patience of reading it."""
        return next(iter(self.some(model, path, 1, **params)), None)

    def some(self, model: type[M], path: str, most: int, **params: Any) -> list[M]:
        """As `first`, of the first few."""
        try:
            page = self.page(model, path, {"per_page": most, **params}, retries=PROMPT)
        except NotAsDocumented as error:
            raise InvalidResponse(path, str(error)) from error
        return page.items[:most] if page else []

    def headers(self, path: str) -> httpx.Headers:
        """Headers of an answer: the token's scopes, and what is left of its quota."""
        return self._get(path, lambda response: response.headers)

    def pages(self, model: type[M], path: str, etag: str | None = None, **params: Any) -> Iterator[RestPage[M]]:
        """Pages of a listing, in the order of the server. Ends where pages begin to repeat.

        None at all if the first page is as it was when the answer had this `etag`.
        """
        yield from whole_listing(path, self._pages(model, path, etag, **params))

    def listing(self, model: type[M], path: str, **params: Any) -> Iterator[M]:
        """All objects of a listing. Raises NotAsDocumented as well: they are parts of one object."""
        for page in self._pages(model, path, None, **params):
            yield from page.items

    def page(
        self,
        model: type[M],
        link: str,
        params: Mapping[str, Any] | None = None,
        etag: str | None = None,
        retries: RetryBudget = PATIENT,
    ) -> RestPage[M] | None:
        """One page of a listing; None if it is as it was when the answer had this `etag`. One with gaps is asked for
        once more: what the token may not see stays null, what the server failed to give may not."""
        ask = partial(self._get, link, partial(parse_page, model=model), params=params, retries=retries)
        found = ask(etag=etag)
        return ask() if found and found.has_gaps else found

    def repository(self, name: str, kept: KeptRepository | None = None) -> DescribedRepository:
        """A repository, as `kept` if the server says so. One that was renamed answers under its new name."""
        return self._repository(f"repos/{quote(name)}", kept)

    def repository_by_id(self, unit_id: str) -> DescribedRepository:
        """A repository under whatever name it has now, from where GitHub's redirects of former names lead."""
        return self._repository(f"repositories/{quote(unit_id)}", None)

    def issue(self, repository: str, number: int) -> GitHubIssue:
        """An issue, or a pull request in the form of an issue. One that was transferred answers from where it is."""
        return self.get(GitHubIssue, f"repos/{quote(repository)}/issues/{number}")

    def issues(self, repository: str, since: datetime | None, etag: str | None = None) -> Iterator[IssuePage]:
        """Pages of issues and pull requests, least recently updated first; see `IssueListing`."""
        path = f"repos/{quote(repository)}/issues"
        listing = IssueListing(path, PAGE_SIZE, partial(self.page, GitHubIssue))
        yield from whole_listing(path, listing.pages(since, etag))

    def tree(self, repository: str, ref: str, known: str | None = None) -> FileTree | None:
        """All files under `ref`, or None if they are as they were when the answer had the ETag `known`."""
        found = self._get(
            _tree_path(repository, ref),
            lambda response: None if response.status_code == 304 else (etag(response), parse_whole(response, GitTree)),
            etag=known,
            params={"recursive": "1"},
        )
        if found is None:
            return None
        return FileTree(found[0], tuple(walk(ref, found[1], partial(self._tree, repository))))

    def blob(self, repository: str, sha: str) -> bytes:
        """https://docs.github.com/en/rest/git/blobs#get-a-blob"""
        return self._get(f"repos/{quote(repository)}/git/blobs/{quote(sha)}", parse_blob)

    def last_commit(self, repository: str, ref: str, path: str) -> GitHubCommit | None:
        """The newest commit on `ref` that touched `path`; None if the server names none."""
        params = {"sha": ref, "path": path, "per_page": 1}
        found = self.page(GitHubCommit, f"repos/{quote(repository)}/commits", params)
        return found.items[0] if found and found.items else None

    def query_promptly(self, model: type[M], text: str, **variables: Any) -> M:
        """As `query`, without much patience: for what can be asked in another way."""
        return self._query(text, variables, partial(graphql.parse_data, model=model), PROMPT)

    def query_each(self, model: type[M], text: str) -> graphql.PartialData[M]:
        """As `query_promptly`, for several objects by alias, where what is wrong with one of them stays with it."""
        return self._query(text, {}, partial(graphql.parse_partial, model=model), PROMPT)

    def query(self, model: type[M], text: str, **variables: Any) -> M:
        """Data of a GraphQL query. Raises NotOffered for servers without such an API, which are asked once only, and
        UndefinedFields for one that does not know all that is asked, at once where it was asked this before."""
        return self._query(text, variables, partial(graphql.parse_data, model=model), PATIENT)

    def _query(
        self, text: str, variables: Mapping[str, Any], parse: Callable[[httpx.Response], T], retries: RetryBudget
    ) -> T:
        if self._without_graphql:
            raise self._without_graphql
        if known := self._undefined.get(text):
            raise known
        body = {"query": text, "variables": variables}
        try:
            return self._send(self._graphql, "POST", "graphql", parse, json=body, retries=retries)
        except SourceError as error:
            raise self._note_missing(text, graphql.classify(error)) from error

    def _note_missing(self, text: str, error: SourceError) -> SourceError:
        """The error, where it tells what the server does not have, kept for the next to ask."""
        if isinstance(error, graphql.UndefinedFields):
            self._undefined[text] = error
        elif isinstance(error, graphql.NotOffered):
            self._without_graphql = error
            logger.warning("%s: %s", graphql.NO_DISCUSSIONS, error)
        return error

    def _open_api(
        self, base_url: str, transport: httpx.BaseTransport | None, sibling: ApiClient | None = None
    ) -> ApiClient:
        return ApiClient(
            base_url,
            {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": API_VERSION, "User-Agent": "headrace"},
            check=refusal,
            credential=self._credentials.name,
            tier=rate_limit_tier,
            transport=transport,
            sibling=sibling,
        )

    def _exchange(self, path: str, claim: str) -> InstallationGrant:
        parse, headers = partial(parse_whole, model=InstallationGrant), {"Authorization": f"Bearer {claim}"}
        return self._api.send("POST", path, parse=parse, headers=headers)

    def _pages(self, model: type[M], path: str, etag: str | None, **params: Any) -> Iterator[RestPage[M]]:
        trail, shown = PageTrail(path), set[bytes]()
        found = self.page(model, path, {"per_page": PAGE_SIZE, **params}, etag)
        while found and found.digest not in shown:  # some servers link the last page to itself, or to the first
            shown.add(found.digest)
            yield found
            link = trail.follow(found.next)
            found = self.page(model, link) if link else None

    def _repository(self, path: str, kept: KeptRepository | None) -> DescribedRepository:
        known = kept if kept and kept.holds_for(path, datetime.now(UTC)) else None
        parse = partial(parse_repository, path=path, kept=known)
        return self._get(path, parse, etag=known.etag if known else None)

    def _tree(self, repository: str, sha: str, recursive: bool) -> GitTree:
        params = {"recursive": "1"} if recursive else {}
        return self._get(_tree_path(repository, sha), partial(parse_whole, model=GitTree), params=params)

    def _get(
        self,
        path: str,
        parse: Callable[[httpx.Response], T],
        *,
        etag: str | None = None,
        **request: Any,
    ) -> T:
        conditions = {"If-None-Match": etag} if etag else {}
        return self._send(self._api, "GET", path, parse, headers=conditions, **request)

    def _send(
        self,
        api: ApiClient,
        method: str,
        path: str,
        parse: Callable[[httpx.Response], T],
        *,
        headers: Mapping[str, str] | None = None,
        **request: Any,
    ) -> T:
        def send(authorization: str) -> T:
            shown = {**(headers or {}), "Authorization": authorization}
            return api.send(method, path, parse=parse, headers=shown, **request)

        return with_renewal(self._credentials, send)


def _tree_path(repository: str, ref: str) -> str:
    return f"repos/{quote(repository)}/git/trees/{quote(ref)}"
