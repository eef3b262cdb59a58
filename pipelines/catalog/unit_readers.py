"""Readers of units whose documents have the same: how documents follow when a unit is read by others than before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, select, update

from connectors.model import Unit, readers_include, user_token
from pipelines.catalog import tables
from pipelines.catalog.revocations import EVERYBODY, Revocation, revoke
from pipelines.catalog.stamps import raise_stamp

_NARROWED = "no longer among the unit's readers at the source"


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


def tell_readers(
    transaction: Connection, connection: str, unit: str, told: Iterable[Collection[str]], read_since: datetime
) -> None:
    """Documents that have their unit's readers tell of readers that its list has not named: it has these, too, so that
    the next list shows whom it has lost by then. Where a list has been read since the reading of the documents began,
    they have been lost already."""
    units = tables.units
    own = (units.c.connection == connection, units.c.unit == unit)
    row = transaction.execute(select(units.c.name, units.c.readers, units.c.listed_since).where(*own)).first()
    if row is None or not row.readers:
        return  # the list of units tells of none
    listed = tuple(row.readers)
    others = {token for readers in told if not readers_include(listed, readers) for token in readers}.difference(listed)
    if not others:
        return
    all_told = Unit(unit, row.name, readers=tuple(sorted(others.union(listed))))
    if row.listed_since and row.listed_since > read_since:
        now = Unit(unit, row.name, readers=listed)
        revoke(transaction, _narrowed(transaction, connection, all_told, now, documents_follow=True))
    else:
        transaction.execute(update(units).where(*own).values(readers=all_told.readers))
        raise_stamp(transaction)


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
    return any(not readers_include(one, readers) for one in known.scalars())


def follow_members(transaction: Connection, connection: str, read_since: datetime) -> None:
    """Documents of units that have lost readers get those of now where each of these was a reader before, as a member
    of a group: then nobody is let in. What is known of groups that were read before `read_since` tells nothing."""
    for unit, readers in _narrowed_units(transaction, connection):
        table = tables.documents
        own = (table.c.connection == connection, table.c.unit == unit, table.c.status != "deleted")
        others = select(table.c.readers).where(*own, table.c.readers.is_distinct_from(readers)).distinct()
        for before in transaction.execute(others).scalars().all():
            if before and _were_readers(transaction, readers, before, read_since):
                same = update(table).where(*own, table.c.readers == before)
                transaction.execute(same.values(readers=readers))
                raise_stamp(transaction)


def _narrowed_units(transaction: Connection, connection: str) -> list[tuple[str, tuple[str, ...]]]:
    """Those of which a reader is revoked that was the whole unit's, with their readers of now, if there are any."""
    units, revoked = tables.units, tables.revocations
    narrowed = select(revoked.c.unit).where(
        revoked.c.connection == connection, revoked.c.document == "", revoked.c.token != EVERYBODY
    )
    listed = (units.c.connection == connection, ~units.c.gone, units.c.unit.in_(narrowed))
    found = transaction.execute(select(units.c.unit, units.c.readers).where(*listed))
    return [(unit, tuple(readers)) for unit, readers in found if readers]


def _were_readers(transaction: Connection, readers: Sequence[str], before: Sequence[str], read_since: datetime) -> bool:
    """Whether each member of the groups among `readers` was among the readers `before`. Of groups that could not be
    read the last time there may be others, and nobody can say who is behind a token of another kind."""
    others = set(readers).difference(before)
    groups, members = tables.groups, tables.memberships
    read = select(groups.c.group).where(groups.c.group.in_(others), groups.c.unreadable.is_(None))
    if set(transaction.execute(read.where(groups.c.read_at >= read_since)).scalars()) != others:
        return False
    same = and_(groups.c.connection == members.c.connection, groups.c.group == members.c.group)
    known = select(members.c.email).join(groups, same).where(groups.c.read_at >= read_since)
    had = set(transaction.execute(known.where(members.c.group.in_(before))).scalars())
    have = set(transaction.execute(known.where(members.c.group.in_(others))).scalars())
    return all(email in had or user_token(email) in before for email in have)


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
        if readers is not None and readers_include(readers, unit.readers):
            transaction.execute(update(table).where(*own, table.c.readers == readers).values(readers=unit.readers))
    return had - set(unit.readers)
