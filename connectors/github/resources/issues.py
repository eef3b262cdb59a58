"""Issues and pull requests, with everything that was said about them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from pydantic import BaseModel

from connectors.contract import Checkpoint, Deleted, Item, ListingEntry, Window
from connectors.errors import NotFound
from connectors.github.cursor import RepositoryCursor
from connectors.github.issue_pages import IssuePage
from connectors.github.payloads.rest import GitHubComment, GitHubIssue, GitHubReview, GitHubReviewComment
from connectors.github.repository import Repository
from connectors.github.resources.comments import CommentSweep
from connectors.github.resources.relations import read_relations
from connectors.github.responses import ListingState

M = TypeVar("M", bound=BaseModel)

_LISTING = "issues"
"""Under this name the cursor keeps the state of the listing."""
_PAGE_OVERLAP = timedelta(seconds=1)
"""How far a page can begin before the end of the one before it."""
_REPOSITORY = re.compile(r"/repos/([^/]+/[^/]+)$")


@dataclass(slots=True)
class _UpdateOrder:
    """Whether pages have come least recently updated first so far, and up to when."""

    holds: bool = True
    newest: datetime | None = None

    def add(self, page: IssuePage) -> None:
        times = [updated for issue in page.items if (updated := issue.updated)]
        follows = not (self.newest and times and times[0] < self.newest - _PAGE_OVERLAP)
        self.holds = self.holds and follows and times == sorted(times)
        self.newest = times[-1] if times else self.newest

    def is_past(self, end: datetime | None) -> bool:
        """Whether all that is still to come was updated at or after `end`."""
        return bool(self.holds and end and self.newest and self.newest >= end)


class IssueResource:
    kinds = ("issues", "pull")

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._documents = repository.documents
        self._comments = CommentSweep(repository)

    def read_changes(self, cursor: RepositoryCursor, window: Window | None) -> Iterator[Item]:
        """By their last update, least recently updated first, with a checkpoint after each.

        Then those that have a comment newer than they say: not every edit of a comment shows in its issue's time.
        """
        if window:
            yield from self._read_window(cursor, window)
            return
        yield from self._read_updated(cursor)
        for kind, number in self._comments.find_unread(cursor):
            yield self._read_commented(kind, number, cursor)
        self._comments.complete(cursor)

    def entries(self) -> Iterator[ListingEntry]:
        before: set[int] = set()  # numbers on the page before, with which a page can overlap
        for page in self._pages(None):
            for issue in page.items:
                if issue.number not in before:
                    yield ListingEntry(self._id_of(issue), issue.title, issue.updated)
            before = {issue.number for issue in page.items}

    def fetch(self, kind: str, name: str) -> Item | None:
        """Nothing under this id if it was transferred, or is of the other kind."""
        return self._fetch(kind, int(name), None) if name.isdecimal() else None

    def _read_updated(self, cursor: RepositoryCursor) -> Iterator[Item]:
        order, state = _UpdateOrder(), ListingState(cursor.etags.pop(_LISTING, None))
        for page in self._pages(cursor.issues.begin, state.etag):
            order.add(page)
            state.add(page)
            for item in self._read_page(page, cursor):
                yield item
                if order.holds:  # in another order, what is still to come can be older
                    yield Checkpoint(cursor.to_json())
        cursor.keep_etag(_LISTING, state.etag)

    def _read_window(self, cursor: RepositoryCursor, window: Window) -> Iterator[Item]:
        order = _UpdateOrder()
        for page in self._pages(window.since):
            order.add(page)
            yield from self._read_page(page, cursor, window)
            if order.is_past(window.until):
                return

    def _read_page(self, page: IssuePage, cursor: RepositoryCursor, window: Window | None = None) -> Iterator[Item]:
        """What of a page has not been read, moving the cursor on with each."""
        for issue in page.items:
            if (window is None or issue.updated in window) and cursor.issues.is_new(issue.number, issue.updated):
                read_at = datetime.now(UTC)
                item = self._read(issue, cursor)
                cursor.issues.advance(issue.number, issue.updated, read_at)
                yield item
        cursor.issues.forget_settled()

    def _pages(self, since: datetime | None, etag: str | None = None) -> Iterator[IssuePage]:
        try:
            yield from self._repository.client.issues(self._repository.name, since, etag)
        except NotFound:
            if self._repository.has_issues:
                raise
            yield from self._pull_pages(since)

    def _pull_pages(self, since: datetime | None) -> Iterator[IssuePage]:
        """Pull requests of a repository that has its issues switched off. Their listing knows no `since`."""
        order = {"state": "all", "sort": "updated", "direction": "desc" if since else "asc"}
        for page in self._repository.client.pages(GitHubIssue, f"{self._repository.path}/pulls", **order):
            yield replace(page, items=[pull.as_issue() for pull in page.items], etag=None)
            times = [updated for pull in page.items if (updated := pull.updated)]
            if since and times and min(times) < since:
                return

    def _read(self, issue: GitHubIssue, cursor: RepositoryCursor) -> Item:
        document_id = self._id_of(issue)
        item = self._repository.attempt(document_id, issue.title, partial(self._complete, issue, cursor))
        return item or Deleted(document_id)

    def _read_commented(self, kind: str, number: int, cursor: RepositoryCursor) -> Item:
        """What a comment belongs to; it is of the other kind than the comment's address says on some servers."""
        for one in (kind, "issues" if kind == "pull" else "pull"):
            document_id = self._id(one, number)
            if item := self._repository.attempt(document_id, f"#{number}", partial(self._fetch, one, number, cursor)):
                return item
        return Deleted(self._id(kind, number))

    def _fetch(self, kind: str, number: int, cursor: RepositoryCursor | None) -> Item | None:
        issue = self._payload(kind, number)
        is_same = self._is_own(issue) and issue.is_pull_request == (kind == "pull")
        return self._complete(issue, cursor) if is_same else None

    def _payload(self, kind: str, number: int) -> GitHubIssue:
        client = self._repository.client
        if kind == "pull" and not self._repository.has_issues:
            return client.get(GitHubIssue, f"{self._repository.path}/pulls/{number}").as_issue()
        return client.issue(self._repository.name, number)

    def _complete(self, issue: GitHubIssue, cursor: RepositoryCursor | None) -> Item:
        """With all that was said about it; `cursor` records which comments were read."""
        issue.require_sound()
        number, read_at = issue.number, datetime.now(UTC)
        comments = self._said(GitHubComment, issue, f"issues/{number}/comments") if issue.comments != 0 else []
        if cursor:
            self._comments.record(cursor.comments, comments, read_at)
        if not issue.is_pull_request:
            return self._documents.issue(issue, comments, read_relations(self._repository, issue))
        reviews = self._said(GitHubReview, issue, f"pulls/{number}/reviews")
        review_comments = self._said(GitHubReviewComment, issue, f"pulls/{number}/comments")
        if cursor:
            self._comments.record(cursor.review_comments, review_comments, read_at)
        return self._documents.pull_request(issue, comments, reviews, review_comments)

    def _said(self, model: type[M], issue: GitHubIssue, path: str) -> list[M]:
        """Comments or reviews; none where there is no such listing of what still exists."""
        try:
            return list(self._repository.client.listing(model, f"{self._repository.path}/{path}"))
        except NotFound:
            self._payload("pull" if issue.is_pull_request else "issues", issue.number)
            return []

    def _is_own(self, issue: GitHubIssue) -> bool:
        named = _REPOSITORY.search(issue.repository_url)
        return named is None or named[1].lower() == self._repository.name.lower()

    def _id_of(self, issue: GitHubIssue) -> str:
        return self._documents.issue_id(issue.number, is_pull_request=issue.is_pull_request)

    def _id(self, kind: str, number: int) -> str:
        return self._documents.issue_id(number, is_pull_request=kind == "pull")
