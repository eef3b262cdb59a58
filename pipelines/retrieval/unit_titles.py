"""What units are called, to those alone who may know it.

Where whoever may read a document need not be among the readers of its unit, as of a file in a folder of Drive that is
shared by itself, or of a page of Notion that the settings open to others than what it is in, the document tells the
names of what it is in only where all of its readers may see that. The name of the unit is such a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    _asked: int = 0

    def named(self, units: Iterable[NamedUnit]) -> Iterator[NamedUnit]:
        """The same units, with their id in the place of a name that must not be told, and without an address that may
        hold it."""
        asked = list(units)
        self._look_for_own_documents(asked)
        return (unit if self.is_told(unit) else _unnamed(unit) for unit in asked)

    def is_told(self, unit: NamedUnit) -> bool:
        """Whether they may know the unit's name."""
        if self.seen.readers is None or _documents_tell_units(unit.source):
            return True
        if unit not in self._told:
            self._asked += 1
            self._told[unit] = self._asked <= _MOST_LOOKED_AT and self._is_told_by_documents(unit)
        return self._told[unit]

    def _look_for_own_documents(self, units: Sequence[NamedUnit]) -> None:
        """A unit that is a document itself, as a page of Notion is, is told to whoever sees that: one question for all
        of them."""
        asked = {_container(unit): unit for unit in units if not _documents_tell_units(unit.source)}
        own = replace(self.seen, documents=tuple(asked))
        for hit in self.index.beginnings(own, len(asked)) if asked else ():
            self._told[asked[hit.payload["document_id"]]] = True

    def _is_told_by_documents(self, unit: NamedUnit) -> bool:
        own = replace(self.seen, connections=(unit.connection,), units=(unit.id,))
        return any(
            not hides_unit(hit.payload) for most in (1, MOST_TELLING) for hit in self.index.beginnings(own, most)
        )


def hides_unit(payload: Payload) -> bool:
    """Whether a document does not tell the name of its unit, which is a container that it is in."""
    if _documents_tell_units(payload["source"]):
        return False
    unit = f"{id_prefix(payload['source'], payload['connection'])}{payload['unit']}"
    return unit in payload["parents"] and not title_in(payload, unit)


def title_in(payload: Payload, container: str) -> str:
    """What a document calls a container that it is in; empty where it does not tell."""
    parents, titles = payload["parents"], payload["breadcrumb"]
    # Points of former releases are without the empty titles.
    return str(titles[parents.index(container)]) if len(parents) == len(titles) else ""


def address_is_id(unit: NamedUnit) -> bool:
    """Whether its address says no more of a unit than its id does: addresses of Notion may have the title in them."""
    return unit.url.rstrip("/").rpartition("/")[2].lower() in (unit.id.lower(), unit.id.replace("-", "").lower())


def _unnamed(unit: NamedUnit) -> NamedUnit:
    return replace(unit, name=unit.id, url=unit.url if address_is_id(unit) else "")


def _container(unit: NamedUnit) -> str:
    """What a unit is called as a document, or as one that documents are in."""
    return f"{id_prefix(unit.source, unit.connection)}{unit.id}"


def _documents_tell_units(source: str) -> bool:
    known = sources().get(source)
    return known is not None and known.documents_tell_units
