"""A connector on documents held in memory, which a test edits, deletes or breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from connectors.contract import (
    Checkpoint,
    Cursor,
    Deleted,
    Failed,
    Finding,
    Item,
    ListingEntry,
    MembershipItem,
    PartState,
    Skipped,
    Window,
)
from connectors.errors import ListingGap, UnreadableUnits
from connectors.model import Document, Unit


@dataclass
class MemorySource:
    """Versions count up with every `put`; a cursor is the version that was read last. What is `gone` every read says,
    as sources with a feed of changes do. What is in a part of `parts` that is not complete is neither read nor listed,
    and units may be left out of the list because of `gaps`. One that `takes_cursors` no more reads everything."""

    objects: dict[str, Document | Skipped | Failed] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    clock: int = 0
    page_size: int = 50
    requests: int = 0
    people: list[MembershipItem] = field(default_factory=list)
    before_page: Callable[[int], None] = lambda page: None
    gone: list[str] = field(default_factory=list)
    listed: list[Unit] = field(default_factory=lambda: [Unit("unit", "Unit")])
    gaps: list[ListingGap] = field(default_factory=list)
    parts: list[PartState] = field(default_factory=list)
    takes_cursors: bool = True

    def put(self, item: Document | Skipped | Failed) -> None:
        key = item.id if isinstance(item, Document) else item.document_id
        self.clock += 1
        self.objects[key] = item
        self.changed[key] = self.clock

    def remove(self, key: str) -> None:
        del self.objects[key]

    def check(self) -> list[Finding]:
        return [Finding("memory", True, "always there")]

    def units(self) -> Iterator[Unit]:
        yield from self.listed
        if self.gaps:
            raise UnreadableUnits(gaps=self.gaps)

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        cursor = cursor if self.takes_cursors else None
        done = (cursor or {}).get("clock", 0)
        yield from map(Deleted, self.gone)
        keys = [key for key in self.objects if self.changed[key] > done and self._is_given(key)]
        keys.sort(key=self.changed.__getitem__)
        for page, start in enumerate(range(0, max(len(keys), 1), self.page_size)):
            self.before_page(page)
            self.requests += 1
            for key in keys[start : start + self.page_size]:
                item = self.objects[key]
                if window is None or not isinstance(item, Document) or item.updated_at in window:
                    yield item
                done = self.changed[key]
            yield Checkpoint({"clock": done})
        yield from self.parts
        yield Checkpoint({"clock": done}, complete=cursor is None and window is None)

    def listing(self, unit: Unit) -> Iterator[ListingEntry | PartState]:
        yield from self.parts
        given = [(key, item) for key, item in self.objects.items() if self._is_given(key)]
        for page, start in enumerate(range(0, len(given), self.page_size)):
            self.before_page(page)
            self.requests += 1
            for key, item in given[start : start + self.page_size]:
                if isinstance(item, Document):
                    parents = tuple(one.id for one in item.parents)
                    yield ListingEntry(key, item.title, item.updated_at, item.fingerprint, parents)
                else:
                    yield ListingEntry(key)

    def unit_of(self, document_id: str) -> str | None:
        return "unit" if document_id in self.objects else None

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        for key in document_ids:
            self.requests += 1
            yield self.objects.get(key, Deleted(key))

    def memberships(self) -> Iterator[MembershipItem]:
        yield from self.people
        if self.gaps:
            raise UnreadableUnits(gaps=self.gaps)

    def _is_given(self, key: str) -> bool:
        return not any(key.startswith(one.id_prefixes) for one in self.parts if one.status != "complete")

    def close(self) -> None:
        pass
