"""The ways to read a team's issues: all of them, what changed since, a window; and the listing without contents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.contract import Checkpoint, Item, ListingEntry, Window
from headrace_linear.cursor import LinearCursor
from headrace_linear.documents import LinearDocuments
from headrace_linear.payloads import AnyIssue, LinearIssue, LinearPage


class IssueReader:
    """One read of one team."""

    def __init__(self, documents: LinearDocuments) -> None:
        self._documents = documents
        self._client = documents.client
        self._team = {"team": {"id": {"eq": documents.unit.id}}}

    def everything(self, cursor: LinearCursor) -> Iterator[Item]:
        """From the issue that was made last to the first; complete where it was not interrupted."""
        resumed = bool(cursor.after)
        if not resumed:
            newest = self._client.newest(self._documents.unit.id)
            cursor = LinearCursor(until=newest.changed_at if newest else None)
        # In this order, an update in between moves no issue from a page to one that was read.
        yield from self._pages(self._team, cursor, complete=not resumed, orderBy="createdAt", archived=False)

    def changes(self, cursor: LinearCursor) -> Iterator[Item]:
        """What was changed or commented since, the latest first; archived issues are shown too, since they are gone."""
        filter = self._team | _changed_since(cursor.since)
        yield from self._pages(filter, cursor, complete=False, orderBy="updatedAt", archived=True)

    def window(self, window: Window) -> Iterator[Item]:
        """What was changed or commented inside of it."""
        filter = self._team | (_changed_since(window.since) if window.since else {})
        for page in self._client.issue_pages("Issues", filter, orderBy="createdAt", archived=False):
            for issue in page.nodes:
                if isinstance(issue, LinearIssue) and issue.changed_at in window:
                    yield self._documents.item(issue)
        yield Checkpoint({})

    def entries(self) -> Iterator[ListingEntry]:
        for page in self._client.issue_pages("IssueTimes", self._team, orderBy="createdAt", archived=False):
            for issue in page.nodes:
                yield self._documents.entry(issue)

    def _pages(self, filter: dict[str, Any], cursor: LinearCursor, *, complete: bool, **order: Any) -> Iterator[Item]:
        for page in self._client.issue_pages("Issues", filter, cursor.after or None, **order):
            if cursor.until is None:
                # What is changed after this page was asked for is not older than what is on it.
                cursor = replace(cursor, until=max(_times(page), default=cursor.since))
            for issue in page.nodes:
                yield self._documents.item(issue)
            if page.page_info.has_next_page:
                yield Checkpoint(replace(cursor, after=page.page_info.end_cursor).dump())
        yield Checkpoint(cursor.end().dump(), complete=complete)


def _times(page: LinearPage[AnyIssue]) -> list[datetime]:
    return [issue.changed_at for issue in page.nodes if isinstance(issue, LinearIssue)]


def _changed_since(moment: datetime | None) -> dict[str, Any]:
    """https://linear.app/developers/filtering. The bound is inclusive: others may have changed at the same moment."""
    since = {"updatedAt": {"gte": moment.isoformat() if moment else None}}
    return {"or": [since, {"comments": {"some": since}}]}
