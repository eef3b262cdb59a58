"""Which values filters can have, and what there is by connection and unit: no more than whoever asks may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, TypeAlias

from connectors.registry import sources
from pipelines.catalog import Catalog
from pipelines.catalog.accounts import fold
from pipelines.catalog.unit_names import NamedUnit
from pipelines.chunking.tokens import estimate_tokens
from pipelines.index.contract import Filters, IndexReader
from pipelines.retrieval.explore.schema import ConnectionSummary, FacetsResponse, FacetValue, UnitSummary
from pipelines.retrieval.filter_values import FilterValues
from pipelines.retrieval.text_parts import MOST_TOKENS

FacetName: TypeAlias = Literal["sources", "connections", "units", "kinds", "authors", "parents", "tags"]
MOST_VALUES = 1_000

_MOST_TITLES = 200
"""Containers whose titles are read: one question to the index for each."""


@dataclass(frozen=True, slots=True)
class FacetRequest:
    """`like` is a part of the names or values to be listed, in any case; `limit` is for each filter."""

    fields: Sequence[FacetName]
    like: str
    limit: int


class Facets:
    """What somebody sees who sees what matches `seen`. For one request."""

    def __init__(self, index: IndexReader, catalog: Catalog, seen: Filters) -> None:
        self._index = index
        self._catalog = catalog
        self._seen = seen
        self._known = FilterValues(index, catalog, seen)

    def values(self, asked: FacetRequest) -> FacetsResponse:
        listed: Mapping[FacetName, Callable[[], Iterable[FacetValue]]] = {
            "sources": self._sources,
            "connections": lambda: self._plain("connection"),
            "units": self._units,
            "kinds": lambda: self._plain("kind"),
            "authors": self._authors,
            "parents": self._parents,
            "tags": lambda: self._plain("tags"),
        }
        return FacetsResponse(**{name: _like(listed[name](), asked) for name in asked.fields})

    def connections(self, most_units: int) -> list[ConnectionSummary]:
        """Each connection with its units, those with the most documents first, as far as there is room for them in one
        answer."""
        by_connection: dict[str, list[UnitSummary]] = defaultdict(list)
        read_at = {(one.connection, one.unit.id): one.last_sync for one in self._catalog.units.all()}
        for unit, documents in self._units_seen():
            summary = UnitSummary(
                id=unit.id,
                name=unit.name,
                url=unit.url,
                documents=documents,
                read_at=read_at.get((unit.connection, unit.id)),
            )
            by_connection[unit.connection].append(summary)
        return _fitting(
            [
                self._connection(connection, documents, by_connection[connection], most_units)
                for connection, documents in self._known.count("connection").items()
            ]
        )

    def _connection(
        self, connection: str, documents: int, units: Sequence[UnitSummary], most_units: int
    ) -> ConnectionSummary:
        own = replace(self._seen, connections=(connection,))
        newest = self._index.newest(own, 1)
        source = newest[0].payload["source"] if newest else next(iter(self._index.count_documents("source", own)), "")
        return ConnectionSummary(
            connection=connection,
            source=source,
            documents=documents,
            kinds=dict(self._index.count_documents("kind", own)),
            updated_at=newest[0].payload["updated_at"] if newest else None,
            units=list(units[:most_units]),
            more_units=max(len(units) - most_units, 0),
        )

    def _units_seen(self) -> Iterator[tuple[NamedUnit, int]]:
        """Units of which something may be seen, with how many documents, most first. Two connections may have units of
        one id, of which only one may be seen."""
        counted = self._known.count("unit")
        by_id: dict[str, list[NamedUnit]] = defaultdict(list)
        for unit in self._known.units(counted):
            by_id[unit.id].append(unit)
        for unit_id, documents in counted.items():
            units = by_id[unit_id]
            each: Mapping[str, int] = {unit.connection: documents for unit in units}
            if len(units) > 1:
                each = self._index.count_documents("connection", replace(self._seen, units=(unit_id,)))
            yield from ((unit, each[unit.connection]) for unit in units if unit.connection in each)

    def _sources(self) -> Iterator[FacetValue]:
        labels = {name: one.label for name, one in sources().items()}
        for value, documents in self._known.count("source").items():
            yield FacetValue(value=value, name=labels.get(value, value), documents=documents)

    def _plain(self, field: str) -> Iterator[FacetValue]:
        for value, documents in self._known.count(field).items():
            yield FacetValue(value=value, name=value, documents=documents)

    def _units(self) -> Iterator[FacetValue]:
        for unit, documents in self._units_seen():
            yield FacetValue(
                value=unit.id, name=unit.name, documents=documents, source=unit.source, connection=unit.connection
            )

    def _authors(self) -> Iterator[FacetValue]:
        """One for each person, by name; what the same person is called elsewhere counts to it."""
        for name, documents in self._known.people.items():
            yield FacetValue(value=name, name=name, documents=documents)

    def _parents(self) -> Iterator[FacetValue]:
        for value, documents in islice(self._known.count("parents").items(), _MOST_TITLES):
            yield FacetValue(value=value, name=self._known.title(value) or value, documents=documents)


def _fitting(connections: list[ConnectionSummary]) -> list[ConnectionSummary]:
    """With fewer units of each where all are too many for one answer."""
    most = max((len(one.units) for one in connections), default=0)
    while most and sum(estimate_tokens(one.model_dump_json()) for one in connections) > MOST_TOKENS:
        most = most * 3 // 4
        connections = [_with_units(one, most) for one in connections]
    return connections


def _with_units(connection: ConnectionSummary, most: int) -> ConnectionSummary:
    left_out = max(len(connection.units) - most, 0)
    return connection.model_copy(
        update={"units": connection.units[:most], "more_units": connection.more_units + left_out}
    )


def _like(values: Iterable[FacetValue], asked: FacetRequest) -> list[FacetValue]:
    part = fold(asked.like)
    fitting = (one for one in values if part in fold(one.name) or part in fold(one.value))
    return list(islice(fitting, asked.limit))
