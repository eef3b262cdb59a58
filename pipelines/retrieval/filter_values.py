"""Filters as people and models write them, as the values that the index has: names, any case, any alias of a person.

A value of which whoever asks may see no document does not exist for them: the error is the same, and the values that
it lists are those that they may see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from connectors.contract import id_prefix
from pipelines.catalog import Catalog
from pipelines.catalog.accounts import fold
from pipelines.catalog.unit_names import NamedUnit
from pipelines.index.contract import Filters, IndexReader
from pipelines.retrieval.schema import SearchFilters
from pipelines.retrieval.unit_titles import MOST_TELLING, UnitTitles, address_is_id, title_in

MOST_NEAR = 5
"""How many values an error lists."""
MOST_TITLED = 1_000
"""Documents of one title that a filter by it looks at."""
_MOST_COMPARED = 2_000
"""Values that are compared with one that does not exist: each takes some microseconds."""
_MOST_TITLES = 200
"""Of containers, those with the most documents: a title is read from a document of each."""
_NEAR = 0.6
"""How alike two texts are that are near, from 0 to 1 (`difflib`)."""

_FIELDS = {
    "connections": "connection",
    "units": "unit",
    "kinds": "kind",
    "authors": "author",
    "parents_in": "parents",
    "parents_not": "parents",
    "tags_in": "tags",
    "tags_not": "tags",
}
"""The field of the index that each filter asks."""
_CONDITIONS: Mapping[str, str] = {
    "connection": "connections",
    "unit": "units",
    "kind": "kinds",
    "parents": "parents_in",
    "tags": "tags_in",
}
"""The condition of the index on each field."""
_EXCLUDING = ("parents_not", "tags_not")
"""What does not exist need not be left out."""
_WHAT = {"parents": "container", "tags": "tag"}


class UnknownValue(ValueError):
    """A value that no document has which whoever asks may see. `where` is its place in the request."""

    def __init__(self, where: str, what: str, value: str, values: Values) -> None:
        self.where = where
        near, some = values.near(value), values.shown[:MOST_NEAR]
        known = f"; near it: {', '.join(near)}" if near else f"; there are {', '.join(some)}" if some else ""
        super().__init__(f"no {what} {value!r} among what you may see{known}")


@dataclass(frozen=True, slots=True)
class Values:
    """What one filter can ask for: `known` has the index's values by each name of theirs, in lower case, and `shown`
    how to write them."""

    known: Mapping[str, tuple[str, ...]]
    shown: Sequence[str]

    def near(self, value: str) -> list[str]:
        """Those that are spelled alike."""
        names = {fold(one): one for one in reversed(self.shown[:_MOST_COMPARED])}
        asked = fold(value).lstrip("#")
        within = [one for one in names if asked and (asked in one or one.lstrip("#") in asked)]
        alike = get_close_matches(fold(value), names, MOST_NEAR, _NEAR)
        return [names[one] for one in dict.fromkeys((*alike, *within))][:MOST_NEAR]


class FilterValues:
    """Looks up what filters mean to somebody who sees what matches `seen`. For one request."""

    def __init__(self, index: IndexReader, catalog: Catalog, seen: Filters) -> None:
        self._index = index
        self._catalog = catalog
        self._seen = seen
        self._unit_titles = UnitTitles(index, seen)
        self._counted: dict[str, Mapping[str, int]] = {}

    def resolve(self, asked: SearchFilters, where: str = "filters") -> SearchFilters:
        """Raises UnknownValue."""
        given = {name: values for name in _FIELDS if (values := getattr(asked, name))}
        found = {name: self._resolve_all(values, name, f"{where}.{name}.") for name, values in given.items()}
        # Where nothing is left that could be left out, there is no condition.
        return asked.model_copy(update=found)

    def _resolve_all(self, values: Sequence[str], name: str, where: str) -> list[str]:
        is_excluding = name in _EXCLUDING
        found = [
            self.find(_FIELDS[name], value, f"{where}{number}", is_needed=not is_excluding)
            for number, value in enumerate(values)
        ]
        return list(dict.fromkeys(one for each in found for one in each))

    def find(self, field: str, value: str, where: str, *, is_needed: bool = True) -> tuple[str, ...]:
        """The index's values that a value means. Raises UnknownValue where it `is_needed` and there is none."""
        if found := self._find(field, value):
            return found
        if not is_needed:
            return ()
        values = self._titles if field == "parents" else self._values(field)
        raise UnknownValue(where, _WHAT.get(field, field), value, values)

    def documents_at(self, urls: Sequence[str]) -> list[str]:
        """The ids of documents at these URLs, whether or not they may be seen."""
        return [one for ids in self._catalog.documents.ids_by_url(urls).values() for one in ids]

    def documents_titled(self, titles: Sequence[str]) -> list[str]:
        """The ids of documents with these titles, whether or not they may be seen."""
        return self._catalog.documents.ids_by_title(titles, MOST_TITLED)

    def count(self, field: str) -> Mapping[str, int]:
        """How many documents that may be seen have each value of a field, the most frequent first."""
        if field not in self._counted:
            counted = self._index.count_documents(field, self._seen)
            self._counted[field] = dict(sorted(counted.items(), key=lambda one: (-one[1], one[0])))
        return self._counted[field]

    def _find(self, field: str, value: str) -> tuple[str, ...]:
        if field == "author":
            return self._authors(value)
        if self._exists(field, value):
            return (value,)
        if field == "unit":
            return self._units(value)
        return (self._titles if field == "parents" else self._values(field)).known.get(fold(value), ())

    def _exists(self, field: str, value: str) -> bool:
        """Whether a document has exactly this value: programs send those, and to count all values takes longer."""
        if field in self._counted:
            return value in self._counted[field]
        asked: dict[str, Any] = {_CONDITIONS[field]: (value,)}
        own = replace(self._seen, **asked)
        return bool(self._index.beginnings(own, 1))

    def _values(self, field: str) -> Values:
        if field == "author":
            return Values({}, list(self.people))
        counted = self.count(field)
        shown = self._unit_names.values() if field == "unit" else counted
        return Values(_by_name((one, one) for one in counted), list(dict.fromkeys(shown)))

    def _authors(self, value: str) -> tuple[str, ...]:
        """All logins and names of whoever is meant, as documents have them."""
        meant = self._catalog.accounts.known_as(value)
        return tuple(dict.fromkeys(author for key, author in self._by_connection if meant.is_author(key, author)))

    @cached_property
    def people(self) -> Mapping[str, int]:
        """Authors by name, with how many documents they have in all their accounts, most first. Whoever is called
        otherwise elsewhere has the name with the most documents."""
        accounts, counted, called = self._catalog.accounts, Counter[str](), dict[str, str]()
        names, addresses = accounts.names(self._by_connection), accounts.addresses(self._by_connection)
        for one, documents in sorted(self._by_connection.items(), key=lambda each: (-each[1], each[0])):
            own = addresses.get(one, [])
            name = next((called[address] for address in own if address in called), names.get(one, one[1]))
            called |= {address: called.get(address, name) for address in own}
            counted[name] += documents
        return dict(counted.most_common())

    @cached_property
    def _by_connection(self) -> Mapping[tuple[str, str], int]:
        """How many documents each author of each connection has."""
        return {
            (connection, author): documents
            for connection in self.count("connection")
            for author, documents in self._index.count_documents(
                "author", replace(self._seen, connections=(connection,))
            ).items()
            if author
        }

    def _units(self, value: str) -> tuple[str, ...]:
        """By a name or URL that they have or had; `#` stands before the name of a channel or not."""
        bare = value.strip().lower().removeprefix("#")
        named = self._catalog.unit_names.find((bare, f"#{bare}"))
        there = self.count("unit")
        found = (one for units in named.values() for one in units if one.id in there)
        return tuple(dict.fromkeys(one.id for one in found if self._may_be_found_by(bare, one)))

    def _may_be_found_by(self, name: str, unit: NamedUnit) -> bool:
        return (name == unit.url.lower() and address_is_id(unit)) or self._unit_titles.is_told(unit)

    def units(self, ids: Iterable[str]) -> list[NamedUnit]:
        """The units with these ids, of whichever connections, by names that may be known."""
        return list(self._unit_titles.named(self._catalog.unit_names.by_id(ids)))

    @cached_property
    def _unit_names(self) -> Mapping[str, str]:
        counted = self.count("unit")
        names = {one.id: one.name for one in self.units(counted)}
        return {unit: names.get(unit, unit) for unit in counted}

    @cached_property
    def _titles(self) -> Values:
        titles = {one: self.title(one) for one in list(self.count("parents"))[:_MOST_TITLES]}
        named = [(title or one, one) for one, title in titles.items()]
        return Values(_by_name(named), [title for title, _ in named])

    def title(self, container: str) -> str:
        """What a container is called in a document that is in it, and may be seen, or as the unit that it is; empty
        where neither tells it."""
        return next(filter(None, self._titles_told(container)), "")

    def _titles_told(self, container: str) -> Iterator[str]:
        """One document tells it nearly always: not all of those who may read a document may open what it is in."""
        inside, hit = replace(self._seen, parents_in=(container,)), None
        for hit in self._index.beginnings(inside, 1):
            yield title_in(hit.payload, container)
        if hit is None:
            return
        own, connection = id_prefix(hit.payload["source"], hit.payload["connection"]), hit.payload["connection"]
        units = self._catalog.unit_names.by_id((container.removeprefix(own),))
        yield from (one.name for one in units if one.connection == connection and self._unit_titles.is_told(one))
        yield from (title_in(other.payload, container) for other in self._index.beginnings(inside, MOST_TELLING))


def _by_name(named: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    known: dict[str, tuple[str, ...]] = {}
    for name, value in named:
        known[fold(name)] = (*known.get(fold(name), ()), value)
    return known
