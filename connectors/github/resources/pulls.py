"""Pull requests: those that the listing of issues shows, or without it those of their own.

The listing of issues is the better one, since it can be asked by time. Their own is read where issues are switched
off, refused or failing, and after a time in which pull requests themselves were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from connectors.contract import Item, ListingEntry, Window
from connectors.errors import AuthenticationFailed, RateLimited, SourceError
from connectors.github.cursor import RepositoryCursor, Timeline
from connectors.github.issue_pages import IssuePage
from connectors.github.part_table import PULL_REQUESTS
from connectors.github.payloads.rest import GitHubIssue
from connectors.github.repository import Repository
from connectors.github.resources.comments import REVIEW_COMMENTS, CommentSweep
from connectors.github.resources.conversations import Conversations
from connectors.github.resources.part import RepositoryPart
from connectors.github.resources.updated_listing import read_updated, read_window
from connectors.github.responses import ListingState
from connectors.payloads import Payload
from connectors.sampling import SAMPLED, find_one

_LISTING = "pulls"
"""Under this name the cursor keeps the state of the listing."""


class PullResource(RepositoryPart):
    """`look` comes first, then the listing of issues, which calls `read_listed`, and then `read_changes`.

    `named` holds the numbers of those that the listing of issues has named.
    """

    part = PULL_REQUESTS
    kinds = ("pull",)

    def __init__(self, repository: Repository) -> None:
        super().__init__(repository)
        self._conversations = Conversations(self.repository)
        self._sweep: CommentSweep | None = None
        self.named: set[int] = set()
        self._without_issues = not self.repository.has_issues

    def probe(self) -> None:
        client, path = self.repository.client, f"{self.repository.path}/pulls"

        def ask(pull: GitHubIssue) -> None:
            client.ask(Payload, f"{path}/{pull.number}")
            for listing in ("reviews", "comments"):
                client.first(Payload, f"{path}/{pull.number}/{listing}")

        find_one(client.some(GitHubIssue, path, SAMPLED, state="all"), ask)

    def go_without_issues(self) -> None:
        """The listing of issues is refused, or fails."""
        self._without_issues = self._conversations.without_issues = True

    def look(self, cursor: RepositoryCursor) -> None:
        """Ask which comments on lines are new, which also tells whether pull requests may be read."""
        self._sweep = CommentSweep(self.repository, REVIEW_COMMENTS, cursor)
        if not self._sweep.look():
            self.ask_for_listing()

    def ask_for_listing(self) -> None:
        """Whether there is one, without a look at what it names."""
        self.repository.client.first(GitHubIssue, f"{self.repository.path}/pulls", state="all")

    def read_listed(self, issue: GitHubIssue, cursor: RepositoryCursor) -> Item | None:
        """One that the listing of issues shows; None where pull requests cannot be read."""
        read_at = datetime.now(UTC)
        if item := self._guarded(partial(self._conversations.read, issue, cursor), cursor):
            cursor.pulls.advance(issue.number, issue.updated, read_at)
        return item

    def read_commented(self, number: int, cursor: RepositoryCursor) -> Item | None:
        return self._guarded(partial(self._conversations.read_commented, "pull", number, cursor), cursor)

    def read_changes(self, cursor: RepositoryCursor, window: Window | None) -> Iterator[Item]:
        def read(pull: GitHubIssue) -> Item:
            return self.checked(self._conversations.read(pull, cursor))

        if window:
            if self._without_issues:
                yield from read_window(self._pages(window.since, ListingState(None)), window, read)
            return
        if cursor.pulls_lack_details and self._conversations.are_detailed:
            cursor.pulls, cursor.pulls_behind, cursor.pulls_lack_details = Timeline(), True, False
            cursor.etags.pop(_LISTING, None)
        if self._without_issues or cursor.pulls_behind:
            state = ListingState(cursor.etags.pop(_LISTING, None))
            pages = self._pages(cursor.pulls.begin, state)
            yield from read_updated(pages, cursor.pulls, cursor, state, read)
            cursor.keep_etag(_LISTING, state.etag)
        if self._sweep:
            for _, number in self._sweep.unread():
                yield self.checked(self._conversations.read_commented("pull", number, cursor))
            self._sweep.complete()
        cursor.pulls_behind = False
        cursor.pulls_lack_details = cursor.pulls_lack_details or self._conversations.lacks_details

    def entries(self) -> Iterator[ListingEntry]:
        """Those that the listing of issues did not show."""
        if self._without_issues:
            for page in self._pages(None, ListingState(None)):
                for pull in (one for one in page.items if one.number not in self.named):
                    yield ListingEntry(self._conversations.id_of(pull), pull.title, pull.updated)

    def fetch(self, kind: str, name: str) -> Item | None:
        return self._conversations.fetch(kind, int(name)) if name.isdecimal() else None

    def _guarded(self, read: Callable[[], Item], cursor: RepositoryCursor) -> Item | None:
        """What `read` returns; trouble of pull requests as a whole does not end the listing of issues."""
        if self.trouble is None:
            try:
                return self.checked(read())
            except (AuthenticationFailed, RateLimited):
                raise
            except SourceError as trouble:
                self.trouble = trouble
        cursor.pulls_behind = True
        return None

    def _pages(self, since: datetime | None, state: ListingState) -> Iterator[IssuePage]:
        """In the form of issues. This listing knows no `since`."""
        order = {"state": "all", "sort": "updated", "direction": "desc" if since else "asc"}
        for page in self.repository.client.pages(GitHubIssue, f"{self.repository.path}/pulls", state.etag, **order):
            yield replace(page, items=[pull.as_issue() for pull in page.items])
            times = [updated for pull in page.items if (updated := pull.updated)]
            if since and times and min(times) < since:
                return
