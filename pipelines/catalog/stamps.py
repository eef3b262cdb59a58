"""The stamp of rights: what tells a query, for the price of one row, whether to load again what is in force."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from pipelines.catalog import tables
from pipelines.catalog.statements import upsert

_STAMP = "revocations"


def read_stamp(transaction: Connection) -> int:
    """Raised with each change of what is in force."""
    return transaction.execute(select(tables.stamps.c.value).where(tables.stamps.c.name == _STAMP)).scalar() or 0


def raise_stamp(transaction: Connection) -> None:
    """Tell queries, in this transaction, to load again what is in force."""
    upsert(transaction, tables.stamps, [{"name": _STAMP, "value": 0}])
    table = tables.stamps
    transaction.execute(update(table).where(table.c.name == _STAMP).values(value=table.c.value + 1))
