"""Units as commands name them: by id, or by a name, which several may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.catalog.units import UnitState
from pipelines.errors import UsageError


def find_unit(connection: str, states: Sequence[UnitState], asked: str) -> UnitState | None:
    """The unit of a connection with this id or else this name, one that is listed before one that is gone.

    Raises UsageError where several units have that name.
    """
    by_id = {state.unit.id: state for state in states}
    listed = {state.unit.id: state.unit.name for state in states if not state.gone}
    every = {state.unit.id: state.unit.name for state in states}
    found = find_id(connection, listed, asked) or find_id(connection, every, asked)
    return by_id[found] if found else None


def find_id(connection: str, names: Mapping[str, str], asked: str) -> str | None:
    """The id of that unit among those of which `names` has the names by id. Raises UsageError as `find_unit`."""
    if asked in names:
        return asked
    named = sorted(own for own, name in names.items() if name == asked)
    if len(named) > 1:
        targets = ", ".join(f"{connection}/{own}" for own in named)
        raise UsageError(f"{connection}: several units have the name {asked!r}; say which by its id: {targets}")
    return named[0] if named else None
