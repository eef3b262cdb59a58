"""What a connection holds, as Notion's search lists it: the whole of it, or what was edited lately."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from connectors.notion.client import LISTING_ATTEMPTS, ListingBrokenOff, NotionClient
from connectors.notion.hierarchy import Hierarchy
from connectors.notion.objects import NotionObject, Ref
from connectors.notion.responses import ListingPage

logger = logging.getLogger(__name__)

OVERLAP = timedelta(hours=1)
"""How far search may lag behind: what it shows of objects edited within that time is not relied on."""
PAYLOADS_KEPT = 32_000_000
"""Bytes of compressed payloads that a listing keeps; the objects beyond are asked for when they are read."""

_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class SearchEntry:
    """A page or database that is a document, and when it was last edited."""

    ref: Ref
    edited: datetime


@dataclass(frozen=True, slots=True)
class SearchListing:
    """`entries` run from the one edited first to the one edited last.

    All that was edited at or after `since` is in it; everything, if that is None, unless it is `cut`: Notion
    itself stopped short of the end, or refused each of its cursors. All that was edited after `oldest` is in it even
    then; None says that nothing is certain. `asked_at` is the server's clock when it answered first.
    """

    entries: tuple[SearchEntry, ...]
    since: datetime | None
    asked_at: datetime
    hierarchy: Hierarchy
    cut: bool
    oldest: datetime | None = None

    def lacks(self, since: datetime | None) -> bool:
        """Whether something may be missing of what was edited at or after `since`."""
        return self.cut and (since is None or self.oldest is None or self.oldest >= since)

    def reaches(self, since: datetime | None) -> bool:
        return self.since is None or (since is not None and since >= self.since)


def list_edited(client: NotionClient, since: datetime | None = None) -> SearchListing:
    """Everything edited at or after `since`, or everything. Raises SourceError.

    A search whose cursor is refused begins again; where it is refused each time, what was named is what there is.
    """
    collected = _collect(client, since)
    for _ in range(LISTING_ATTEMPTS - 1):
        if collected.broken_off is None:
            break
        logger.warning("a search begins again: %s", collected.broken_off)
        collected = _collect(client, since)
    # A server that does not sort was read to the end, so that the listing holds everything.
    return collected.listing(since if collected.is_sorted else None)


def nothing_listed(client: NotionClient) -> SearchListing:
    """Where search names nothing: all may be missing from it."""
    return SearchListing((), None, datetime.now(UTC), Hierarchy(client), cut=True)


def _collect(client: NotionClient, since: datetime | None) -> _Collected:
    collected = _Collected(Hierarchy(client))
    try:
        for page in client.search():
            collected.add(page)
            if since and collected.is_past(since):
                break
    except ListingBrokenOff as error:
        collected.broken_off = error
    return collected


@dataclass(slots=True)
class _Collected:
    """What the pages of a search have named so far."""

    hierarchy: Hierarchy
    edited: dict[Ref, datetime] = field(default_factory=dict)
    asked_at: datetime | None = None
    is_sorted: bool = True
    cut: bool = False
    broken_off: ListingBrokenOff | None = None
    _oldest: datetime | None = None
    _kept: int = 0

    def add(self, page: ListingPage[NotionObject]) -> None:
        self.asked_at = self.asked_at or page.answered_at
        self.cut = self.cut or page.cut
        for found in page.items:
            is_current = found.edited is not None and found.edited < self.asked_at - OVERLAP
            ref = self.hierarchy.add(self._within_memory(found), is_current=is_current)
            # A database has the time of that of its data sources which was edited last. What has no time is due in a
            # read of everything only.
            self.edited[ref] = max(self.edited.get(ref, _LONG_AGO), found.edited or _LONG_AGO)
        self._check_order([found.edited for found in page.items if found.edited])

    def is_past(self, since: datetime) -> bool:
        """Whether all that was edited at or after `since` has been named."""
        return self.is_sorted and self._oldest is not None and self._oldest < since

    def listing(self, since: datetime | None) -> SearchListing:
        entries = (SearchEntry(ref, edited) for ref, edited in self.edited.items())
        ordered = tuple(sorted(entries, key=lambda entry: (entry.edited, entry.ref)))
        return SearchListing(
            ordered,
            since,
            self.asked_at or datetime.now(UTC),
            self.hierarchy,
            self.cut or self.broken_off is not None,
            self._oldest if self.is_sorted else None,
        )

    def _within_memory(self, found: NotionObject) -> NotionObject:
        self._kept += len(found.packed)
        # Databases and data sources are few, and what they hold is asked of them more than once.
        return replace(found, packed=b"") if self._kept > PAYLOADS_KEPT and found.ref.kind == "page" else found

    def _check_order(self, times: Sequence[datetime]) -> None:
        """Newest first, from page to page too."""
        follows = not (self._oldest and times and times[0] > self._oldest)
        self.is_sorted = self.is_sorted and follows and list(times) == sorted(times, reverse=True)
        self._oldest = times[-1] if times else self._oldest
