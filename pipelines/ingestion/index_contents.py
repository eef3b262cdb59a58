"""What the index holds beside what the catalog says that it should: of all documents, or of those that have changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipelines.catalog import Catalog
from pipelines.catalog.indexed_documents import IndexedUnit
from pipelines.index.conditions import AnyOf, Conditions
from pipelines.index.contract import IndexStore, Payload

_FOR_CLOCKS = timedelta(minutes=10)
"""What was written this long before the last look is looked at again: machines' clocks differ."""
_MOST_CHANGED = 1 / 4
"""From this share of the documents on, to read all points is cheaper than to ask for those of each document."""


@dataclass(slots=True)
class IndexContents:
    """What one pass over points shows. It is `whole` if that was over all of them."""

    whole: bool = True
    documents: int = 0
    """How many have points, those that were not looked at included."""
    units: Sequence[IndexedUnit] = ()
    """What the catalog says of each unit."""
    points: Counter[str] = field(default_factory=Counter)
    """By document."""
    expected: dict[str, int] = field(default_factory=dict)
    """As the catalog knows them, by document."""
    unreadable: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Documents that have no reader, with connection and unit."""
    unequal: set[str] = field(default_factory=set)
    """Documents whose points differ in readers."""

    def read(self, payloads: Iterable[Payload]) -> None:
        """Memory grows with the number of documents, not of points."""
        readers: dict[str, int] = {}
        for payload in payloads:
            document_id, own = payload["document_id"], hash(tuple(sorted(payload["readers"])))
            self.points[document_id] += 1
            if not payload["readers"]:
                self.unreadable[document_id] = payload["connection"], payload["unit"]
            if readers.setdefault(document_id, own) != own:
                self.unequal.add(document_id)


def read_all(store: IndexStore, catalog: Catalog) -> IndexContents:
    """Read all points once."""
    indexed = catalog.indexed_documents
    found = IndexContents(units=indexed.units(), expected=indexed.points())
    found.read(payload for _, payload in store.scan())
    found.documents = len(found.points)
    return found


def read_changed(store: IndexStore, catalog: Catalog, since: datetime) -> IndexContents:
    """Compare how many points there are of each unit, and read those of units that differ, and of documents that have
    changed since a look that has found nothing wrong. Reads all where that is cheaper."""
    units, there = catalog.indexed_documents.units(), store.count_by_unit()
    if sum(there.values()) != store.preview().count_points():
        return read_all(store, catalog)  # points of no unit
    known = Counter[str]()
    for one in units:
        known[one.unit] += one.points
    differing = {unit for unit in known.keys() | there.keys() if known[unit] != there.get(unit, 0)}
    since -= _FOR_CLOCKS
    changed: set[str] = set()
    for one in units:
        if one.changed_at >= since and one.unit not in differing:
            changed |= catalog.indexed_documents.points_in(one.connection, one.unit, since).keys()
    documents = sum(one.documents for one in units)
    if len(changed) > documents * _MOST_CHANGED:
        return read_all(store, catalog)
    found = IndexContents(whole=False, documents=documents, units=units)
    found.read(store.points(sorted(changed)).values())
    for unit in differing:
        found.read(payload for _, payload in store.scan(Conditions(must=(AnyOf("unit", (unit,)),))))
        for one in units:
            if one.unit == unit:
                changed |= catalog.indexed_documents.points_in(one.connection, unit).keys()
    found.expected = catalog.indexed_documents.points_of(changed | found.points.keys())
    return found
