"""Listings of repositories and single ones, asked for as far as they have changed since they were kept.

Answers that nothing has changed count on no quota:
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from connectors.contract import AnswerCache
from connectors.errors import InvalidResponse
from connectors.github.client import PAGE_SIZE, GitHubClient
from connectors.github.payloads.kept import KeptAnswer, KeptRepositories, KeptRepository
from connectors.github.payloads.rest import GitHubRepository
from connectors.github.responses import RestPage, whole_listing
from connectors.paging import PageTrail


class RepositoryPages:
    """Without `answers` nothing is kept. Every method may raise SourceError."""

    def __init__(self, client: GitHubClient, answers: AnswerCache | None) -> None:
        self._client = client
        self._answers = answers

    def list(self, path: str) -> Iterator[RestPage[GitHubRepository]]:
        """Pages of a listing, to the end or to where they begin to repeat."""
        yield from whole_listing(path, self._pages(path))

    def find(self, name: str) -> GitHubRepository:
        """One that was renamed answers under its new name."""
        place = f"repository {name}"
        kept = KeptRepository.from_json(self._get(place))
        found = self._client.repository(name, kept)
        if found.kept and found.kept != kept:
            self._put(place, found.kept)
        return found.payload

    def _pages(self, path: str) -> Iterator[RestPage[GitHubRepository]]:
        trail, shown, sizes = PageTrail(path), set[bytes](), list[int]()
        link: str | None = path
        while link:
            page = self._page(f"{path} {len(sizes)}", link, sizes[0] if sizes else PAGE_SIZE)
            if page.digest in shown:  # some servers link the last page to itself, or to the first
                return
            shown.add(page.digest)
            sizes.append(len(page.items))
            yield page
            link = trail.follow(page.next)

    def _page(self, place: str, link: str, full: int) -> RestPage[GitHubRepository]:
        before = KeptRepositories.from_json(self._get(place))
        if before and not before.holds_for(link, datetime.now(UTC)):
            before = None
        params = {"per_page": PAGE_SIZE} if place.endswith(" 0") else None
        told = self._client.page(GitHubRepository, link, params, before.etag if before else None)
        if told is None:
            if before is None:
                raise InvalidResponse(link, "HTTP 304 to a question without a condition")
            return _as_told(before)
        # A full page that is the last one stays as it is, too, when another page comes after it.
        is_last_and_full = told.next is None and len(told.items) >= full
        if told.etag and not told.has_gaps and not is_last_and_full:
            self._put(place, _kept(link, told, told.etag))
        return told

    def _get(self, place: str) -> dict[str, Any] | None:
        return None if self._answers is None else self._answers.get(place)

    def _put(self, place: str, kept: KeptAnswer) -> None:
        if self._answers is not None:
            self._answers.put(place, kept.to_json())


def _kept(link: str, page: RestPage[GitHubRepository], etag: str) -> KeptRepositories:
    return KeptRepositories(
        path=link,
        told_at=datetime.now(UTC),
        etag=etag,
        digest=page.digest.hex(),
        repositories=tuple(page.items),
        omitted=page.omitted,
        next=page.next,
    )


def _as_told(kept: KeptRepositories) -> RestPage[GitHubRepository]:
    digest = bytes.fromhex(kept.digest)
    return RestPage(list(kept.repositories), kept.next, digest, kept.etag, kept.omitted)
