"""Readers of units whose documents have the same: how documents follow when a unit is read by others than before."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, select, update

from connectors.model import PUBLIC, Unit
from pipelines.catalog import tables
from pipelines.catalog.revocations import Revocation
from pipelines.catalog.stamps import raise_stamp

_NARROWED = "no longer among the unit's readers at the source"


def narrows(before: Collection[str], after: Collection[str]) -> bool:
    """Whether nobody is among the readers after who was not among those before, as far as reader tokens tell."""
    return PUBLIC in before or set(after) <= set(before)


def follow_units(
    transaction: Connection, connection: str, known: Iterable[tuple[Unit, Unit]], documents_follow: bool
) -> list[Revocation]:
    """What units have lost, each as it was and as it is; documents that follow theirs lose it here."""
    return [
        one
        for before, unit in known
        if set(before.readers) != set(unit.readers)
        for one in _narrowed(transaction, connection, before, unit, documents_follow)
    ]


def widen_documents(transaction: Connection, connection: str, unit: Unit) -> None:
    """Documents get the readers of their unit that it still has. Where none are told there are none to give."""
    table, readers = tables.documents, _readers_left(transaction, connection, unit)
    if readers:
        own = (table.c.connection == connection, table.c.unit == unit.id, table.c.readers.is_distinct_from(readers))
        if transaction.execute(update(table).where(*own).values(readers=readers)).rowcount:
            raise_stamp(transaction)


def widens_documents(transaction: Connection, connection: str, unit: Unit) -> bool:
    """Whether `widen_documents` lets anybody read what they could not."""
    table, readers = tables.documents, _readers_left(transaction, connection, unit)
    own = (table.c.connection == connection, table.c.unit == unit.id, table.c.status != "deleted")
    known = transaction.execute(select(table.c.readers).where(*own, table.c.readers.is_not(None)).distinct())
    return any(not narrows(one, readers) for one in known.scalars())


def _readers_left(transaction: Connection, connection: str, unit: Unit) -> tuple[str, ...]:
    """The readers of a unit that it still has."""
    units = tables.units
    same = (units.c.connection == connection, units.c.unit == unit.id)
    of_now = transaction.execute(select(units.c.readers).where(*same)).scalar() or ()
    return tuple(sorted(set(unit.readers).intersection(of_now)))


def _narrowed(
    transaction: Connection, connection: str, before: Unit, unit: Unit, documents_follow: bool
) -> list[Revocation]:
    """What a unit has lost. Documents that follow it get its readers here, and lose what they had beside.

    Where documents may have others than their unit's readers, each that may name the token loses it by itself: then
    reading it gives the token back to one that names it still, and its other readers stay its own.
    """
    lost = set(before.readers) - set(unit.readers)
    if documents_follow:
        lost = _narrow_documents(transaction, connection, before, unit)
    if documents_follow or not unit.readers:
        return [Revocation(connection, unit.id, token, _NARROWED) for token in sorted(lost)]
    table = tables.documents
    own = (table.c.connection == connection, table.c.unit == unit.id, table.c.status != "deleted")
    known = transaction.execute(select(table.c.id, table.c.readers).where(*own)) if lost else ()
    return [
        Revocation(connection, unit.id, token, _NARROWED, document)
        for document, readers in known
        for token in sorted(lost if readers is None else lost.intersection(readers))
    ]


def _narrow_documents(transaction: Connection, connection: str, before: Unit, unit: Unit) -> set[str]:
    """Documents get the readers of their unit where that lets in nobody. Returns all that any had which are none now.

    Others wait for a read of the unit: text may have been taken out before somebody was let in, and is here still.
    What they have lost is revoked meanwhile, and who was among their readers and still is finds them.
    """
    table, had = tables.documents, set(before.readers)
    own = (table.c.connection == connection, table.c.unit == unit.id)
    known = transaction.execute(select(table.c.readers, table.c.indexed_readers).where(*own).distinct()).all()
    had.update(token for row in known for tokens in row for token in tokens or ())
    for readers in {row.readers for row in known}:
        if readers is not None and narrows(readers, unit.readers):
            transaction.execute(update(table).where(*own, table.c.readers == readers).values(readers=unit.readers))
    return had - set(unit.readers)
