"""What a connection holds, as Notion's search lists it: the whole of it, or what was edited lately."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.notion.client import NotionClient, Page, moment
from connectors.notion.nodes import Ref, node
from connectors.notion.tree import Tree

logger = logging.getLogger(__name__)

_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """A page or database that is a document, and when it was last edited."""

    ref: Ref
    edited: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """`entries` run from the one edited first to the one edited last.

    All that was edited at or after `since` is in it; everything, if that is None. `asked_at` is the server's
    clock when it answered first.
    """

    entries: tuple[Entry, ...]
    since: datetime | None
    asked_at: datetime
    tree: Tree

    def reaches(self, since: datetime | None) -> bool:
        return self.since is None or (since is not None and since >= self.since)


def listed(client: NotionClient, since: datetime | None = None) -> Listing:
    """Ask for everything edited at or after `since`. Raises SourceError."""
    tree = Tree(client)
    edited: dict[Ref, datetime] = {}
    asked_at: datetime | None = None
    last: datetime | None = None
    for page in client.search():
        asked_at = asked_at or page.answered_at
        for payload in page.items:
            if found := node(payload):
                ref = tree.add(found)
                edited[ref] = max(edited.get(ref, _LONG_AGO), found.edited or _LONG_AGO)
            else:
                logger.warning("search names %s without telling its content", payload.get("id"))
        times = _times(page)
        # A server that does not sort is read to the end.
        if times != sorted(times, reverse=True) or (last and times and times[0] > last):
            since = None
        last = times[-1] if times else last
        if since and last and last < since:
            break
    entries = sorted((Entry(ref, when) for ref, when in edited.items()), key=lambda entry: (entry.edited, entry.ref))
    return Listing(tuple(entries), since, asked_at or datetime.now(UTC), tree)


def _times(page: Page) -> list[datetime]:
    return [when for payload in page.items if (when := moment(payload.get("last_edited_time")))]
