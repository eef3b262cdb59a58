"""What each unit is called as a partition: a name that people know, and the id that never changes.

A key is kept as it was shown last, and is looked up; nothing reads an id out of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, select, update

from connectors.model import Unit
from pipelines.catalog import tables

_MOST_CHARACTERS = 60
_UNUSABLE = re.compile(r"""[,\[\]"'`]|\.{2,}""")
"""Characters by which Dagster's page tells several keys and ranges of them apart."""


@dataclass(frozen=True, slots=True)
class UnitPartition:
    """A unit with the key that it should have, and the one under which it was `shown` last."""

    unit: str
    key: str
    shown: str | None


class PartitionKeys:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self, connection: str) -> list[UnitPartition]:
        """The units of a connection, those that are gone included: what was read of them is kept."""
        table = tables.units
        statement = select(table.c.unit, table.c.name, table.c.partition_key).where(table.c.connection == connection)
        with self._engine.connect() as transaction:
            rows = transaction.execute(statement.order_by(table.c.name, table.c.unit)).all()
        return [UnitPartition(unit, partition_key(Unit(unit, name)), shown) for unit, name, shown in rows]

    def record_shown(self, connection: str, keys: Mapping[str, str]) -> None:
        """These are the keys, by unit, that are shown from now on."""
        table = tables.units
        with self._engine.begin() as transaction:
            for unit, key in keys.items():
                own = (table.c.connection == connection, table.c.unit == unit)
                transaction.execute(update(table).where(*own).values(partition_key=key))


def partition_key(unit: Unit) -> str:
    """What a unit is called as a partition.

    >>> partition_key(Unit("C0123", "#general"))
    '#general (C0123)'
    """
    name = " ".join(_UNUSABLE.sub(" ", "".join(filter(_is_visible, unit.name))).split())[:_MOST_CHARACTERS].rstrip()
    return f"{name} ({unit.id})" if name and name != unit.id else unit.id


def _is_visible(character: str) -> bool:
    """Whether it is neither a control character nor one that turns the direction of text around."""
    return character.isspace() or not unicodedata.category(character).startswith("C")
