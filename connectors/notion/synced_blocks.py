"""Synced blocks: a page can show what stands on another one, and is read again when that changes.

Notion moves the time of the original's page alone. https://developers.notion.com/reference/block#synced-block
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Self

from connectors.contract import Cursor, Failed
from connectors.errors import NotFound
from connectors.fingerprints import fingerprint
from connectors.isolation import Isolation
from connectors.notion.client import NotionClient
from connectors.notion.content import read_blocks
from connectors.notion.hierarchy import OUT_OF_REACH, Hierarchy
from connectors.notion.render.blocks import BlockTree, blocks_markdown, is_copy
from connectors.notion.render.properties import NotionNames

_GONE = ""
"""In the place of the fingerprint, or of the page, of an original that is out of reach."""


@dataclass(slots=True)
class SyncedCopies:
    """Which pages of a unit show what, as they were read last: part of its cursor.

    `shown` holds by page the fingerprints of the originals that it shows, by their ids; `homes` the page that each of
    these stands on, in whichever unit, once that is known.
    """

    shown: dict[str, dict[str, str]] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, cursor: Cursor) -> Self:
        """The inverse of `as_json`; `cursor` is the unit's."""
        shown = {page: dict(originals) for page, originals in (cursor.get("copies") or {}).items()}
        return cls(shown, dict(cursor.get("originals") or {}))

    def as_json(self) -> Cursor:
        used = {original for originals in self.shown.values() for original in originals}
        homes = {original: home for original, home in self.homes.items() if original in used}
        return {"copies": {page: dict(originals) for page, originals in self.shown.items()}, "originals": homes}

    def record(self, page: str, originals: Mapping[str, str]) -> None:
        """A page was read, and shows these."""
        self.shown.pop(page, None)
        if originals:
            self.shown[page] = dict(originals)

    def without_home(self, pages: Iterable[str]) -> set[str]:
        """What these pages show of which it is not known where it stands."""
        shown = {original for page in pages for original in self.shown.get(page, ())}
        return shown - self.homes.keys()

    def originals_on(self, page: str) -> list[str]:
        return [original for original, home in self.homes.items() if home == page]

    def showing_other(self, original: str, now: str | None) -> list[str]:
        """Pages that show an original, but not as it is `now`; None fits nothing."""
        return [page for page, originals in self.shown.items() if originals.get(original, now) != now]


def shown_originals(blocks: Iterable[BlockTree]) -> dict[str, str]:
    """What a page shows of others: fingerprints of original blocks by their ids, of those inside of others too."""
    found: dict[str, str] = {}
    for block in blocks:
        if is_copy(block) and block.content.synced_from and block.content.synced_from.block_id:
            found[block.content.synced_from.block_id] = _text_fingerprint(block.children)
        found |= shown_originals(block.children)
    return found


class OriginalBlocks:
    """Looks at the originals of synced blocks, at each once: one for a pass over all units, or for an event."""

    def __init__(self, client: NotionClient, hierarchy: Hierarchy) -> None:
        self._client = client
        self._hierarchy = hierarchy
        self._isolation = Isolation(lambda: client.requests)
        self._now: dict[str, str | None] = {}

    def find_homes(self, copies: SyncedCopies, originals: Iterable[str]) -> None:
        """Note where these stand; what cannot be found out now is left for the next time."""
        for original in originals:
            home = self._isolation.attempt(original, "", partial(self._hierarchy.page_of_block, original))
            if not isinstance(home, Failed):
                copies.homes[original] = home.id if home else _GONE

    def outdated(self, copies: SyncedCopies, page: str) -> list[str]:
        """Pages that show what stands on a page that was edited, and that is other by now.

        Costs as many requests as its originals take to read, and none where nothing of it is shown.
        """
        found: list[str] = []
        originals = copies.originals_on(page)
        for original in originals:
            found += copies.showing_other(original, self._fingerprint(original))
        self.find_homes(copies, originals)  # one may have been taken to another page
        return list(dict.fromkeys(found))

    def _fingerprint(self, original: str) -> str | None:
        """Of what it holds now; None where that cannot be read."""
        if original not in self._now:
            read = self._isolation.attempt(original, "", partial(self._read_fingerprint, original))
            self._now[original] = None if isinstance(read, Failed) else read
        return self._now[original]

    def _read_fingerprint(self, original: str) -> str:
        try:
            return _text_fingerprint(read_blocks(self._client, original))
        except (NotFound, *OUT_OF_REACH):
            return _GONE


def _text_fingerprint(blocks: Sequence[BlockTree]) -> str:
    return fingerprint([blocks_markdown(blocks, NotionNames())], 8)
