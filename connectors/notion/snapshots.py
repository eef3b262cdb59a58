"""What a connector keeps between calls, and for how long."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Self

from connectors.errors import AuthenticationFailed, ListingGap, RateLimited, SourceError, UnreadableUnits
from connectors.notion import access
from connectors.notion.client import NotionClient
from connectors.notion.hierarchy import Hierarchy
from connectors.notion.objects import Ref
from connectors.notion.part_table import PARTS_BY_NAME, SEARCH, watch_parts
from connectors.notion.search_listing import OVERLAP, SearchListing, list_edited, nothing_listed
from connectors.notion.synced_blocks import OriginalBlocks
from connectors.part_watch import PartWatch
from connectors.source_parts import listing_gap

EVENT_SECONDS = 30.0
"""For which what `unit_of` found is kept for the `fetch` that follows."""
CONTEXT_SECONDS = OVERLAP.total_seconds()
"""Search shows by then what events pointed at before it did."""
PAGES_REMEMBERED = 5_000
"""Pages whose fetched files are remembered at a time."""

People = Callable[[], Mapping[str, str]]
"""Names by user id; asked for once, when they are needed first."""


def people_of(client: NotionClient) -> People:
    return cache(partial(access.names, client))


@dataclass(frozen=True, slots=True)
class SyncSnapshot:
    """One listing for one pass over all units: search has no filter by page, so that it serves each unit, once.

    A unit that is read a second time needs a new one. Where search is refused or fails while the rest of Notion
    answers, `refusal` says so, and the listing is empty. One `of_changes` serves reads that began earlier, as long as
    it reaches back to what they have not seen (`NotionCursor.unread_since`).
    """

    listing: SearchListing
    people: People
    originals: OriginalBlocks
    parts: PartWatch
    refusal: SourceError | None = None
    of_changes: bool = False
    _served: set[str] = field(default_factory=set)

    @classmethod
    def take(cls, client: NotionClient, since: datetime | None, *, of_changes: bool = False) -> Self:
        """Everything edited at or after `since`, or everything. Raises SourceError."""
        parts = watch_parts()
        refusal: SourceError | None = None
        try:
            listing = parts.ask(SEARCH, partial(list_edited, client, since))
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            client.me()  # raises where Notion as a whole is in trouble
            refusal, listing = error, nothing_listed(client)
        return cls(listing, people_of(client), OriginalBlocks(client, listing.hierarchy), parts, refusal, of_changes)

    def begin_unit(self) -> None:
        """What its parts tell from here on is about another unit."""
        self.parts.begin_unit()
        self.parts.tell(SEARCH, self.refusal)

    def require_whole(self, url: str) -> None:
        """Raises UnreadableUnits where search, at `url`, did not name all that it was asked for."""
        if self.refusal:
            raise UnreadableUnits(gaps=[listing_gap(PARTS_BY_NAME[SEARCH], self.refusal)])
        if self.listing.cut:
            raise UnreadableUnits(gaps=[ListingGap(f"{url} does not name all pages")])

    def serves(self, reader: str, since: datetime | None) -> bool:
        """Whether it reaches back to `since`, and this reader did not have it before."""
        return reader not in self._served and self.listing.reaches(since)

    def serve(self, reader: str) -> None:
        self._served.add(reader)


class EventContext:
    """What events have shown within an hour, so that those that follow each other do not ask for the same.

    `roots` are the units that events pointed at: search may not show them yet. `files` holds the fingerprints of the
    files that were fetched, by page and key.
    """

    def __init__(self, client: NotionClient) -> None:
        self.people = people_of(client)
        self.roots: set[Ref] = set()
        self.files: dict[str, dict[str, str]] = {}
        self._client = client
        self._begun = time.monotonic()
        self._hierarchy: tuple[Hierarchy, float] | None = None

    @property
    def is_over(self) -> bool:
        return time.monotonic() - self._begun > CONTEXT_SECONDS

    def hierarchy(self) -> Hierarchy:
        """The one that `unit_of` and the next `fetch` share: an object that changes meanwhile has an event coming."""
        if self._hierarchy is None or time.monotonic() - self._hierarchy[1] > EVENT_SECONDS:
            self._hierarchy = (Hierarchy(self._client), time.monotonic())
        return self._hierarchy[0]

    def end_round(self) -> None:
        """What was looked up is not used again: it was fetched, or failed and would fail again without asking."""
        self._hierarchy = None
        if len(self.files) > PAGES_REMEMBERED:
            self.files.clear()
