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
    Skipped,
    Window,
)
from connectors.model import Document, Unit


@dataclass
class MemorySource:
    """Versions count up with every `put`; a cursor is the version that was read last. What is `gone` every read says,
    as sources with a feed of changes do."""

    objects: dict[str, Document | Skipped | Failed] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    clock: int = 0
    page_size: int = 50
    requests: int = 0
    people: list[MembershipItem] = field(default_factory=list)
    before_page: Callable[[int], None] = lambda page: None
    gone: list[str] = field(default_factory=list)

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
        yield Unit("unit", "Unit")

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        done = (cursor or {}).get("clock", 0)
        yield from map(Deleted, self.gone)
        keys = sorted((key for key in self.objects if self.changed[key] > done), key=self.changed.__getitem__)
        for page, start in enumerate(range(0, max(len(keys), 1), self.page_size)):
            self.before_page(page)
            self.requests += 1
            for key in keys[start : start + self.page_size]:
                item = self.objects[key]
                if window is None or not isinstance(item, Document) or item.updated_at in window:
                    yield item
                done = self.changed[key]
            yield Checkpoint({"clock": done})
        yield Checkpoint({"clock": done}, complete=cursor is None and window is None)

    def listing(self, unit: Unit) -> Iterator[ListingEntry]:
        for page, start in enumerate(range(0, len(self.objects), self.page_size)):
            self.before_page(page)
            self.requests += 1
            for key, item in list(self.objects.items())[start : start + self.page_size]:
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

    def close(self) -> None:
        pass
