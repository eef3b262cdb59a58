"""Comments that were written or edited without their issue's time telling so.

https://docs.github.com/en/rest/issues/comments#list-issue-comments-for-a-repository
https://docs.github.com/en/rest/pulls/comments#list-review-comments-in-a-repository
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connectors.errors import NotFound
from connectors.github.cursor import RepositoryCursor, Timeline
from connectors.github.payloads.parsing import time_or_none
from connectors.github.payloads.rest import CommentLink, GitHubComment
from connectors.github.repository import Repository
from connectors.github.responses import ListingState, RestPage

_NUMBER = re.compile(r"/(?:issues|pulls)/(\d+)$")
_ISSUE_COMMENTS = "issues/comments"
_REVIEW_COMMENTS = "pulls/comments"


@dataclass(slots=True)
class _Listing:
    """What a listing of comments showed: those that are new by id, and the state in which it was read."""

    timeline: Timeline
    state: ListingState
    read_at: datetime
    new: dict[str, datetime] = field(default_factory=dict)


class CommentSweep:
    """All comments of a repository in one listing, two requests where nothing is new."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._listings: dict[str, _Listing] = {}

    def find_unread(self, cursor: RepositoryCursor) -> Iterator[tuple[str, int]]:
        """The kind of id (`issues` or `pull`) and number of what has a comment that was not read, each once."""
        found: dict[tuple[str, int], None] = {}
        for path, timeline in ((_ISSUE_COMMENTS, cursor.comments), (_REVIEW_COMMENTS, cursor.review_comments)):
            listing = _Listing(timeline, ListingState(cursor.etags.pop(path, None)), datetime.now(UTC))
            self._listings[path] = listing
            for comment in self._new_comments(path, listing):
                if number := _NUMBER.search(comment.issue_url or comment.pull_request_url):
                    is_pull = path == _REVIEW_COMMENTS or "/pull/" in comment.html_url
                    found["pull" if is_pull else "issues", int(number[1])] = None
        yield from found

    def record(self, timeline: Timeline, comments: Iterable[GitHubComment], read_at: datetime) -> None:
        """These comments have been read with their issue."""
        for comment in comments:
            timeline.record(comment.id, time_or_none(comment.updated_at), read_at)

    def complete(self, cursor: RepositoryCursor) -> None:
        """What `find_unread` named has been read."""
        for path, listing in self._listings.items():
            for comment_id, updated in listing.new.items():
                listing.timeline.advance(comment_id, updated, listing.read_at)
            listing.timeline.forget_settled()
            cursor.keep_etag(path, listing.state.etag)

    def _new_comments(self, path: str, listing: _Listing) -> Iterator[CommentLink]:
        begin = listing.timeline.begin
        for page in self._pages(path, begin, listing.state.etag):
            listing.state.add(page)
            for comment in page.items:
                updated = comment.updated
                if updated and listing.timeline.is_new(comment.id, updated):
                    listing.new[comment.id] = updated
                    yield comment
            times = [updated for comment in page.items if (updated := comment.updated)]
            if begin and times and min(times) < begin:
                return  # newest first: nothing of interest is to come, or the server knows no `since`

    def _pages(self, path: str, begin: datetime | None, etag: str | None) -> Iterator[RestPage[CommentLink]]:
        since = {"since": f"{begin:%Y-%m-%dT%H:%M:%SZ}"} if begin else {}
        order = {"sort": "updated", "direction": "desc", **since}
        try:
            yield from self._repository.client.pages(CommentLink, f"{self._repository.path}/{path}", etag, **order)
        except NotFound:
            return  # issues are switched off, or a server without such listings
