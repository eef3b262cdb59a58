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
from connectors.github.cursor import Progress, Timeline
from connectors.github.repository import Repository
from connectors.github.responses import Page, Payload, updated_at

_NUMBER = re.compile(r"/(?:issues|pulls)/(\d+)$")


@dataclass(slots=True)
class _Swept:
    """What a listing of comments showed: those that are new by id, and the state in which it was read."""

    timeline: Timeline
    read_at: datetime
    new: dict[str, datetime] = field(default_factory=dict)
    etag: str | None = None


class Comments:
    """All comments of a repository in one listing, two requests where nothing is new."""

    listings = ("issues/comments", "pulls/comments")

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._swept: dict[str, _Swept] = {}

    def discussed(self, progress: Progress) -> Iterator[tuple[str, int]]:
        """The kind of id (`issues` or `pull`) and number of what has a comment that was not read, each once."""
        found: dict[tuple[str, int], None] = {}
        for listing, timeline in zip(self.listings, (progress.comments, progress.review_comments), strict=True):
            for comment in self._new(listing, timeline, progress.etags.pop(listing, None)):
                url = str(comment.get("issue_url") or comment.get("pull_request_url") or "")
                if number := _NUMBER.search(url):
                    is_pull = listing.startswith("pulls") or "/pull/" in str(comment.get("html_url"))
                    found["pull" if is_pull else "issues", int(number[1])] = None
        yield from found

    def read(self, timeline: Timeline, comments: Iterable[Payload], read_at: datetime) -> None:
        """These comments have been read with their issue."""
        for comment in comments:
            timeline.noted(comment.get("id"), updated_at(comment), read_at)

    def done(self, progress: Progress) -> None:
        """What `discussed` named has been read."""
        for listing, swept in self._swept.items():
            for key, updated in swept.new.items():
                swept.timeline.emitted(key, updated, swept.read_at)
            swept.timeline.forget_settled()
            progress.keep_etag(listing, swept.etag)

    def _new(self, listing: str, timeline: Timeline, etag: str | None) -> Iterator[Payload]:
        swept = self._swept[listing] = _Swept(timeline, datetime.now(UTC), etag=etag)
        for count, page in enumerate(self._pages(listing, timeline.begin, etag)):
            swept.etag = page.etag if count == 0 and not page.next else None
            times = [updated for comment in page.items if (updated := updated_at(comment))]
            for comment in page.items:
                updated = updated_at(comment)
                if updated and timeline.is_new(comment.get("id"), updated):
                    swept.new[str(comment.get("id"))] = updated
                    yield comment
            if timeline.begin and times and min(times) < timeline.begin:
                return  # newest first: nothing of interest is to come, or the server knows no `since`

    def _pages(self, listing: str, begin: datetime | None, etag: str | None) -> Iterator[Page]:
        since = {"since": f"{begin:%Y-%m-%dT%H:%M:%SZ}"} if begin else {}
        path = f"{self._repository.path}/{listing}"
        try:
            yield from self._repository.client.pages(path, etag, sort="updated", direction="desc", **since)
        except NotFound:
            return  # issues are switched off, or a server without such listings
