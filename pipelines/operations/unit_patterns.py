"""Patterns of units that decide nothing: one that takes in no unit, or leaves out none, is often misspelled."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from difflib import get_close_matches

from connectors.contract import Finding
from connectors.errors import SourceError
from connectors.model import Unit
from connectors.registry import connect
from connectors.settings import Connection
from pipelines.catalog import Catalog, open_catalog
from pipelines.settings import Settings

ALL = ("*",)

_WILDCARDS = frozenset("*?[")


def check_patterns(path: str, connection: Connection) -> list[Finding]:
    """A finding for each pattern to which no unit answers; `path` is the connection's in the settings. Nothing is said
    where the source cannot be asked: its own findings say so."""
    if connection.include == ALL and not connection.exclude:
        return []
    try:
        units = _list(connection, connection.include)
        return [*_idle_includes(path, connection, units), *_idle_excludes(path, connection, units)]
    except SourceError:
        return []


def read_idle_includes(settings: Settings, connections: Collection[str]) -> list[str]:
    """As `idle_includes`, of these connections."""
    with open_catalog(settings) as catalog:
        return [line for one in connections for line in idle_includes(catalog, settings, settings.connection(one))]


def idle_includes(catalog: Catalog, settings: Settings, connection: Connection) -> list[str]:
    """A line for each pattern of `include` that takes in none of the units that were listed last, by any name that they
    have or had. Nothing is said before a whole listing by these patterns."""
    listed = catalog.connections
    by_these = listed.unit_patterns(connection.id) == connection.unit_patterns and listed.get(connection.id).listed_at
    if connection.include == ALL or not by_these:
        return []
    units = [state.unit for state in catalog.units.all(connection.id) if not state.gone]
    path = f"connections[{settings.connections.index(connection)}]"
    return [
        f"{path}.include[{place}]: {pattern!r} takes in no unit; `headrace check` has what is near"
        for place, pattern in enumerate(connection.include)
        if not _answers(connection, pattern, units) and not _was_called(catalog, connection, pattern)
    ]


def _was_called(catalog: Catalog, connection: Connection, name: str) -> bool:
    named = catalog.unit_names.find([name.lower()]).get(name.lower(), ())
    return any(one.connection == connection.id and not one.gone for one in named)


def _list(connection: Connection, include: Sequence[str]) -> list[Unit]:
    with closing(connect(connection.model_copy(update={"include": tuple(include), "exclude": ()}))) as connector:
        return list(connector.units())


def _idle_includes(path: str, connection: Connection, units: Sequence[Unit]) -> Iterator[Finding]:
    # A source may know a unit by other names than the two that it shows.
    idle = [
        (place, pattern)
        for place, pattern in enumerate(connection.include)
        if not _answers(connection, pattern, units) and not _list(connection, [pattern])
    ]
    names = _names(_list(connection, ALL)) if idle else []
    for place, pattern in idle:
        yield _finding(f"{path}.include[{place}]", "takes in no unit", pattern, get_close_matches(pattern, names, n=3))


def _idle_excludes(path: str, connection: Connection, units: Sequence[Unit]) -> Iterator[Finding]:
    for place, pattern in enumerate(connection.exclude):
        if not _answers(connection, pattern, units):
            near = get_close_matches(pattern, _names(units), n=3)
            found = _finding(f"{path}.exclude[{place}]", "leaves out no unit", pattern, near)
            # What is to come may be left out in advance, by a pattern and hardly by a name.
            yield replace(found, ok=bool(_WILDCARDS.intersection(pattern)))


def _answers(connection: Connection, pattern: str, units: Sequence[Unit]) -> bool:
    alone = connection.model_copy(update={"include": (pattern,), "exclude": ()})
    return any(alone.includes(unit.id, unit.name) for unit in units)


def _names(units: Sequence[Unit]) -> list[str]:
    return [name for unit in units for name in (unit.name, unit.id)]


def _finding(subject: str, effect: str, pattern: str, near: Sequence[str]) -> Finding:
    there_are = f"; there are {', '.join(map(repr, near))}" if near else "; `headrace units` lists what there is"
    return Finding(subject, False, f"{pattern!r} {effect}{there_are}")
