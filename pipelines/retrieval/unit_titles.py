"""What units are called, to those alone who may know it.

Where whoever may read a document need not be among the readers of its unit, as of a file in a folder of Drive that is
shared by itself, the document tells the names of what it is in only where all of its readers may see that. The name of
the unit is such a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from connectors.contract import id_prefix
from connectors.registry import sources
from pipelines.catalog.unit_names import NamedUnit
from pipelines.index.contract import Filters, IndexReader, Payload

MOST_TELLING = 20
"""Documents that are asked for the title of a container of which the first tells none."""
_MOST_LOOKED_AT = 200
"""Units whose documents are asked, one question to the index for each."""


@dataclass(slots=True)
class UnitTitles:
    """To somebody who sees what matches `seen`. For one request."""

    index: IndexReader
    seen: Filters
    _told: dict[NamedUnit, bool] = field(default_factory=dict)

    def named(self, units: Iterable[NamedUnit]) -> Iterator[NamedUnit]:
        """The same units, with their id in the place of a name that must not be told."""
        return (unit if self.is_told(unit) else replace(unit, name=unit.id) for unit in units)

    def is_told(self, unit: NamedUnit) -> bool:
        """Whether they may know the unit's name."""
        if self.seen.readers is None or _documents_have_unit_readers(unit.source):
            return True
        if unit not in self._told:
            self._told[unit] = len(self._told) < _MOST_LOOKED_AT and self._is_told_by_documents(unit)
        return self._told[unit]

    def _is_told_by_documents(self, unit: NamedUnit) -> bool:
        own = replace(self.seen, connections=(unit.connection,), units=(unit.id,))
        return any(
            not hides_unit(hit.payload) for most in (1, MOST_TELLING) for hit in self.index.beginnings(own, most)
        )


def hides_unit(payload: Payload) -> bool:
    """Whether a document does not tell the name of its unit, which is a container that it is in."""
    if _documents_have_unit_readers(payload["source"]):
        return False
    unit = f"{id_prefix(payload['source'], payload['connection'])}{payload['unit']}"
    return unit in payload["parents"] and not title_in(payload, unit)


def title_in(payload: Payload, container: str) -> str:
    """What a document calls a container that it is in; empty where it does not tell."""
    parents, titles = payload["parents"], payload["breadcrumb"]
    # Points of former releases are without the empty titles.
    return str(titles[parents.index(container)]) if len(parents) == len(titles) else ""


def _documents_have_unit_readers(source: str) -> bool:
    known = sources().get(source)
    return known is not None and known.documents_have_unit_readers
