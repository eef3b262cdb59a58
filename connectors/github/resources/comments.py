"""Comments that were written or edited without their issue's time telling so.

https://docs.github.com/en/rest/issues/comments#list-issue-comments-for-a-repository
https://docs.github.com/en/rest/pulls/comments#list-review-comments-in-a-repository
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from connectors.errors import NotFound
from connectors.github.cursor import RepositoryCursor, Timeline
from connectors.github.payloads.comments import CommentLink, GitHubComment
from connectors.github.payloads.parsing import time_or_none
from connectors.github.repository import Repository
from connectors.github.responses import ListingState, RestPage

ISSUE_COMMENTS = "issues/comments"
REVIEW_COMMENTS = "pulls/comments"

_NUMBER = re.compile(r"/(?:issues|pulls)/(\d+)$")


class CommentSweep:
    """All comments of a repository in one listing, one request where nothing is new."""

    def __init__(self, repository: Repository, path: str, cursor: RepositoryCursor) -> None:
        self._repository = repository
        self._path = path
        self._cursor = cursor
        self._timeline = timeline_of(cursor, path)
        self._state = ListingState(None)
        self._read_at = datetime.now(UTC)
        self._new: list[CommentLink] = []

    def look(self) -> bool:
        """Ask for what is new; whether there is such a listing. Raises SourceError."""
        self._state = ListingState(self._cursor.etags.pop(self._path, None))
        self._read_at = datetime.now(UTC)
        try:
            self._new = list(self._new_comments())
        except NotFound:  # issues are switched off, or a server without such listings
            return False
        return True

    def unread(self) -> Iterator[tuple[str, int]]:
        """The kind of id (`issues` or `pull`) and number of what has a comment that was not read, each once."""
        told: set[tuple[str, int]] = set()
        for comment in self._new:
            number = _NUMBER.search(comment.issue_url or comment.pull_request_url)
            # Asked once more: what it belongs to may have been read since.
            if number and self._timeline.is_new(comment.id, comment.updated):
                is_pull = self._path == REVIEW_COMMENTS or "/pull/" in comment.html_url
                found = "pull" if is_pull else "issues", int(number[1])
                if found not in told:
                    told.add(found)
                    yield found

    def complete(self) -> None:
        """What `unread` named has been read."""
        for comment in self._new:
            self._timeline.advance(comment.id, comment.updated, self._read_at)
        self._timeline.forget_settled()
        self._cursor.keep_etag(self._path, self._state.etag)

    def _new_comments(self) -> Iterator[CommentLink]:
        begin = self._timeline.begin
        for page in self._pages(begin):
            self._state.add(page)
            for comment in page.items:
                if comment.updated and self._timeline.is_new(comment.id, comment.updated):
                    yield comment
            times = [updated for comment in page.items if (updated := comment.updated)]
            if begin and times and min(times) < begin:
                return  # newest first: nothing of interest is to come, or the server knows no `since`

    def _pages(self, begin: datetime | None) -> Iterator[RestPage[CommentLink]]:
        since = {"since": f"{begin:%Y-%m-%dT%H:%M:%SZ}"} if begin else {}
        order = {"sort": "updated", "direction": "desc", **since}
        path = f"{self._repository.path}/{self._path}"
        return self._repository.client.pages(CommentLink, path, self._state.etag, **order)


def timeline_of(cursor: RepositoryCursor, path: str) -> Timeline:
    return cursor.review_comments if path == REVIEW_COMMENTS else cursor.comments


def record_comments(cursor: RepositoryCursor, path: str, comments: Iterable[GitHubComment], read_at: datetime) -> None:
    """These comments have been read with their issue."""
    for comment in comments:
        timeline_of(cursor, path).record(comment.id, time_or_none(comment.updated_at), read_at)
