"""Stamps: numbers that go up. That of rights tells a query, for the price of one row, whether to load again what is in
force."""

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
    _raise(transaction, _STAMP)


def next_number(transaction: Connection, name: str) -> int:
    """The next number of a row that is counted by itself. Whoever asks for one of the same row waits until this
    transaction has ended: so numbers become visible in their order."""
    _raise(transaction, name)
    table = tables.stamps
    number: int = transaction.execute(select(table.c.value).where(table.c.name == name)).scalar_one()
    return number


def _raise(transaction: Connection, name: str) -> None:
    upsert(transaction, tables.stamps, [{"name": name, "value": 0}])
    table = tables.stamps
    transaction.execute(update(table).where(table.c.name == name).values(value=table.c.value + 1))
