"""What a connection holds, as Notion's search lists it: the whole of it, or what was edited lately."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from connectors.notion.client import NotionClient, Page, Payload, moment
from connectors.notion.hierarchy import Tree
from connectors.notion.objects import Node, Ref, node

logger = logging.getLogger(__name__)

OVERLAP = timedelta(hours=1)
"""How far search may lag behind: what it tells of objects edited within that time is not relied on."""
PAYLOADS_KEPT = 32_000_000
"""Bytes of compressed payloads that a listing keeps; the objects beyond are asked for when they are read."""

_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """A page or database that is a document, and when it was last edited."""

    ref: Ref
    edited: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """`entries` run from the one edited first to the one edited last.

    All that was edited at or after `since` is in it; everything, if that is None, unless it is `cut`: Notion
    itself stopped short of the end. `asked_at` is the server's clock when it answered first.
    """

    entries: tuple[Entry, ...]
    since: datetime | None
    asked_at: datetime
    tree: Tree
    cut: bool

    def reaches(self, since: datetime | None) -> bool:
        return self.since is None or (since is not None and since >= self.since)


def listed(client: NotionClient, since: datetime | None = None) -> Listing:
    """Ask for everything edited at or after `since`. Raises SourceError."""
    tree = Tree(client)
    edited: dict[Ref, datetime] = {}
    asked_at: datetime | None = None
    last: datetime | None = None
    kept = 0
    cut = False
    for page in client.search():
        asked_at = asked_at or page.answered_at
        cut = cut or page.cut
        for payload in page.items:
            if found := _told(payload):
                kept += len(found.packed)
                if kept > PAYLOADS_KEPT and found.ref.kind == "page":
                    found = replace(found, packed=b"")
                ref = tree.add(found, sure=found.edited is not None and found.edited < asked_at - OVERLAP)
                edited[ref] = max(edited.get(ref, _LONG_AGO), found.edited or _LONG_AGO)
        times = _times(page)
        # A server that does not sort is read to the end.
        if times != sorted(times, reverse=True) or (last and times and times[0] > last):
            since = None
        last = times[-1] if times else last
        if since and last and last < since:
            break
    entries = sorted((Entry(ref, when) for ref, when in edited.items()), key=lambda entry: (entry.edited, entry.ref))
    return Listing(tuple(entries), since, asked_at or datetime.now(UTC), tree, cut)


def _told(payload: Payload) -> Node | None:
    found = node(payload)
    if found is None:
        logger.warning("search names %s without telling its content", payload.get("id"))
    return found


def _times(page: Page) -> list[datetime]:
    return [when for payload in page.items if (when := moment(payload.get("last_edited_time")))]
