"""Issues, by the listing in which pull requests stand as well."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from connectors.contract import Item, ListingEntry, Window
from connectors.github.cursor import RepositoryCursor
from connectors.github.issue_pages import IssuePage
from connectors.github.part_table import ISSUES
from connectors.github.payloads.rest import GitHubIssue
from connectors.github.repository import Repository
from connectors.github.resources.comments import ISSUE_COMMENTS, CommentSweep
from connectors.github.resources.conversations import Conversations
from connectors.github.resources.part import RepositoryPart
from connectors.github.resources.pulls import PullResource
from connectors.github.resources.updated_listing import read_updated, read_window
from connectors.github.responses import ListingState
from connectors.payloads import Payload
from connectors.sampling import find_one

_LISTING = "issues"
"""Under this name the cursor keeps the state of the listing."""
_PROBED = 30
"""Issues and pull requests: an issue among them tells more of the part."""


class IssueResource(RepositoryPart):
    part = ISSUES
    kinds = ("issues",)

    def __init__(self, repository: Repository, pulls: PullResource) -> None:
        super().__init__(repository)
        self._conversations = Conversations(self.repository)
        self._pulls = pulls

    def probe(self) -> str | None:
        if not self.repository.has_issues:
            return "not tried: they are switched off"
        client, path = self.repository.client, f"{self.repository.path}/issues"
        listed = client.some(GitHubIssue, path, _PROBED, state="all")
        issues = [issue for issue in listed if not issue.is_pull_request]
        find_one(issues, lambda issue: client.first(Payload, f"{path}/{issue.number}/comments"))
        return None

    def read_changes(self, cursor: RepositoryCursor, window: Window | None) -> Iterator[Item]:
        """By their last update, least recently updated first, with a checkpoint after each.

        Then those that have a comment newer than they say: not every edit of a comment shows in its issue's time.
        """
        read = partial(self._read, cursor)
        if window:
            yield from read_window(self._pages(window.since), window, read)
            return
        state = ListingState(cursor.etags.pop(_LISTING, None))
        pages = self._pages(cursor.issues.begin, state.etag)
        yield from read_updated(pages, cursor.issues, cursor, state, read)
        cursor.keep_etag(_LISTING, state.etag)
        yield from self._read_commented(cursor)

    def entries(self) -> Iterator[ListingEntry]:
        before: set[int] = set()  # numbers on the page before, with which a page can overlap
        for page in self._pages(None):
            for issue in page.items:
                if issue.number not in before and self._is_named(issue):
                    yield ListingEntry(self._conversations.id_of(issue), issue.title, issue.updated)
            before = {issue.number for issue in page.items}

    def fetch(self, kind: str, name: str) -> Item | None:
        return self._conversations.fetch(kind, int(name)) if name.isdecimal() else None

    def _is_named(self, issue: GitHubIssue) -> bool:
        """Pull requests are not where they cannot be read."""
        if not issue.is_pull_request:
            return True
        self._pulls.named.add(issue.number)
        return self._pulls.trouble is None

    def _read(self, cursor: RepositoryCursor, issue: GitHubIssue) -> Item | None:
        if issue.is_pull_request:
            return self._pulls.read_listed(issue, cursor)
        return self.checked(self._conversations.read(issue, cursor))

    def _read_commented(self, cursor: RepositoryCursor) -> Iterator[Item]:
        sweep = CommentSweep(self.repository, ISSUE_COMMENTS, cursor)
        sweep.look()
        for kind, number in sweep.unread():
            if kind == "issues":
                yield self.checked(self._conversations.read_commented(kind, number, cursor))
            elif item := self._pulls.read_commented(number, cursor):
                yield item
        sweep.complete()

    def _pages(self, since: datetime | None, etag: str | None = None) -> Iterator[IssuePage]:
        """None at all where issues are switched off: their listing answers with an error then."""
        if self.repository.has_issues:
            yield from self.repository.client.issues(self.repository.name, since, etag)
