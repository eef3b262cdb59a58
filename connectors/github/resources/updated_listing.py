"""Reading a listing of issues or pull requests by their last update."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from connectors.contract import Checkpoint, Item, Window
from connectors.github.cursor import RepositoryCursor, Timeline
from connectors.github.issue_pages import IssuePage
from connectors.github.payloads.rest import GitHubIssue
from connectors.github.responses import ListingState

ReadIssue: TypeAlias = Callable[[GitHubIssue], Item | None]
"""Reads one with all that was said about it; None for what is passed over."""

_PAGE_OVERLAP = timedelta(seconds=1)
"""How far a page can begin before the end of the one before it."""


@dataclass(slots=True)
class UpdateOrder:
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


def read_updated(
    pages: Iterable[IssuePage], timeline: Timeline, cursor: RepositoryCursor, state: ListingState, read: ReadIssue
) -> Iterator[Item]:
    """What is new by `timeline`, which is moved forward; with a checkpoint after each as long as the order holds."""
    order = UpdateOrder()
    for page in pages:
        order.add(page)
        state.add(page)
        for item in _read_page(page, timeline, read):
            yield item
            if order.holds:  # in another order, what is still to come can be older
                yield Checkpoint(cursor.to_json())


def read_window(pages: Iterable[IssuePage], window: Window, read: ReadIssue) -> Iterator[Item]:
    order, timeline = UpdateOrder(), Timeline()
    for page in pages:
        order.add(page)
        yield from _read_page(page, timeline, read, window)
        if order.is_past(window.until):
            return


def _read_page(page: IssuePage, timeline: Timeline, read: ReadIssue, window: Window | None = None) -> Iterator[Item]:
    for issue in page.items:
        if (window is None or issue.updated in window) and timeline.is_new(issue.number, issue.updated):
            read_at = datetime.now(UTC)
            item = read(issue)
            timeline.advance(issue.number, issue.updated, read_at)
            if item:
                yield item
    timeline.forget_settled()
