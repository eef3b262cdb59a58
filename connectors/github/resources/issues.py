"""Issues and pull requests, with everything that was said about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from connectors.contract import Checkpoint, Deleted, Item, ListingEntry, Window
from connectors.errors import NotFound
from connectors.github.cursor import Progress
from connectors.github.repository import Repository
from connectors.github.resources.comments import Comments
from connectors.github.responses import Page, Payload, updated_at

_PAGE_OVERLAP = timedelta(seconds=1)
"""How far a page can begin before the end of the one before it."""
_REPOSITORY = re.compile(r"/repos/([^/]+/[^/]+)$")


class Issues:
    kinds = ("issues", "pull")

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._make = repository.make
        self._comments = Comments(repository)

    def changed(self, progress: Progress, window: Window | None) -> Iterator[Item]:
        """By their last update, least recently updated first, with a checkpoint after each.

        Then those that have a comment newer than they say: not every edit of a comment shows in its issue's time.
        """
        yield from self._updated(progress, window)
        if window is None:
            for kind, number in self._comments.discussed(progress):
                yield self._discussed(kind, number, progress)
            self._comments.done(progress)

    def listed(self) -> Iterator[ListingEntry]:
        before: set[int] = set()  # numbers on the page before, with which a page can overlap
        for page in self._pages(None):
            for payload in page.items:
                if payload["number"] not in before:
                    yield ListingEntry(
                        self._make.issue_id(payload), str(payload.get("title") or ""), updated_at(payload)
                    )
            before = {payload["number"] for payload in page.items}

    def again(self, kind: str, name: str) -> Item | None:
        """Nothing under this id if it was transferred, or is of the other kind."""
        return self._one(kind, int(name), None) if name.isdecimal() else None

    def _updated(self, progress: Progress, window: Window | None) -> Iterator[Item]:
        etag = None if window else progress.etags.pop("issues", None)
        newest: datetime | None = None
        in_order = True  # in another order, what is still to come can be older: no checkpoint before the end
        pages: list[str | None] = []
        for page in self._pages(window.since if window else progress.issues.begin, etag):
            pages.append(None if page.next else page.etag)
            updates = [updated_at(payload) for payload in page.items]
            in_order = in_order and _ascending(updates, newest)
            newest = next((updated for updated in reversed(updates) if updated), newest)
            for payload, updated in zip(page.items, updates, strict=True):
                if (window is None or updated in window) and progress.issues.is_new(payload["number"], updated):
                    read_at = datetime.now(UTC)
                    yield self._read(payload, progress)
                    progress.issues.emitted(payload["number"], updated, read_at)
                    if in_order and window is None:
                        yield Checkpoint(progress.cursor())
            progress.issues.forget_settled()
            if in_order and window and window.until and newest and newest >= window.until:
                return
        if window is None:
            # The first page tells that nothing has changed only where it is the only one.
            progress.keep_etag("issues", etag if not pages else pages[0] if len(pages) == 1 else None)

    def _pages(self, since: datetime | None, etag: str | None = None) -> Iterator[Page]:
        try:
            yield from self._repository.client.issues(self._repository.name, since, etag)
        except NotFound:
            if self._repository.has("issues"):
                raise
            yield from self._pulls(since)

    def _pulls(self, since: datetime | None) -> Iterator[Page]:
        """Pull requests of a repository that has its issues switched off. Their listing knows no `since`."""
        newest_first = {"direction": "desc"} if since else {"direction": "asc"}
        path = f"{self._repository.path}/pulls"
        for page in self._repository.client.pages(path, state="all", sort="updated", **newest_first):
            yield replace(page, items=[_as_issue(pull) for pull in page.items], etag=None)
            times = [updated for pull in page.items if (updated := updated_at(pull))]
            if since and times and min(times) < since:
                return

    def _read(self, payload: Payload, progress: Progress) -> Item:
        document_id = self._make.issue_id(payload)
        title = str(payload.get("title") or "")
        return self._repository.guard(document_id, title, lambda: self._complete(payload, progress))

    def _discussed(self, kind: str, number: int, progress: Progress) -> Item:
        """What a comment belongs to; it is of the other kind than the comment's address says on some servers."""
        for one in (kind, "issues" if kind == "pull" else "pull"):
            if item := self._guarded(one, number, progress):
                return item
        return Deleted(self._id(kind, number))

    def _guarded(self, kind: str, number: int, progress: Progress) -> Item | None:
        read = partial(self._one, kind, number, progress)
        return self._repository.guard(self._id(kind, number), f"#{number}", read)

    def _id(self, kind: str, number: int) -> str:
        return self._make.issue_id({"number": number, "pull_request": kind == "pull"})

    def _one(self, kind: str, number: int, progress: Progress | None) -> Item | None:
        payload = self._payload(kind, number)
        is_same = self._is_own(payload) and bool(payload.get("pull_request")) == (kind == "pull")
        return self._complete(payload, progress) if is_same else None

    def _payload(self, kind: str, number: int) -> Payload:
        client = self._repository.client
        if kind == "pull" and not self._repository.has("issues"):
            return _as_issue(client.get(f"{self._repository.path}/pulls/{number}"))
        return client.issue(self._repository.name, number)

    def _complete(self, payload: Payload, progress: Progress | None) -> Item:
        """An issue or pull request with all that was said about it. `progress` notes which comments were read."""
        number, read_at = payload["number"], datetime.now(UTC)
        comments = self._said(payload, f"issues/{number}/comments") if payload.get("comments") != 0 else []
        if progress:
            self._comments.read(progress.comments, comments, read_at)
        if not payload.get("pull_request"):
            return self._make.issue(payload, comments)
        reviews = self._said(payload, f"pulls/{number}/reviews")
        review_comments = self._said(payload, f"pulls/{number}/comments")
        if progress:
            self._comments.read(progress.review_comments, review_comments, read_at)
        return self._make.pull_request(payload, comments, reviews, review_comments)

    def _is_own(self, payload: Payload) -> bool:
        named = _REPOSITORY.search(str(payload.get("repository_url") or ""))
        return named is None or named[1].lower() == self._repository.name.lower()

    def _said(self, payload: Payload, path: str) -> list[Payload]:
        """Comments or reviews; none where there is no such listing of what is still there."""
        try:
            return list(self._repository.client.listing(f"{self._repository.path}/{path}"))
        except NotFound:
            self._payload("pull" if payload.get("pull_request") else "issues", payload["number"])
            return []


def _as_issue(pull: Payload) -> Payload:
    """A pull request in the form of an issue, as the listing of issues would give it."""
    return {**pull, "pull_request": {"merged_at": pull.get("merged_at")}}


def _ascending(updates: Sequence[datetime | None], newest: datetime | None) -> bool:
    """Whether a page is in order, and follows one that ended with `newest`."""
    known = [updated for updated in updates if updated]
    return known == sorted(known) and not (newest and known and known[0] < newest - _PAGE_OVERLAP)
