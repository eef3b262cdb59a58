"""The units of each connection, and how far they have been read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Update, func, or_, select, update

from connectors.contract import Cursor
from connectors.model import Unit
from pipelines.catalog import tables
from pipelines.catalog.conditions import is_present
from pipelines.catalog.failures import Cause, sync_failure, sync_success
from pipelines.catalog.revocations import EVERYBODY, Revocation, grant_units, revoke
from pipelines.catalog.stamps import raise_stamp
from pipelines.catalog.statements import in_parts, upsert
from pipelines.catalog.unit_names import record_names
from pipelines.catalog.unit_readers import follow_members, follow_units, widen_documents, widens_documents

NOT_LISTED = "the source no longer lists it, or the token no longer reaches it"
EXCLUDED = "the settings of its connection exclude it"


@dataclass(frozen=True, slots=True)
class UnitState:
    connection: str
    source: str
    unit: Unit
    has_cursor: bool
    listing: str | None
    uncompared: tuple[str, ...]
    paused: bool
    gone: bool
    last_sync: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class UnitWithCursor(UnitState):
    cursor: Cursor | None
    rights_cursor: Cursor | None


class Units:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def replace_listing(
        self,
        connection: str,
        source: str,
        found: Iterable[Unit],
        *,
        documents_follow: bool = False,
        why_gone: Callable[[Unit], str] = lambda unit: NOT_LISTED,
        is_untold: Callable[[Unit], bool] = lambda unit: False,
        listed_since: datetime | None = None,
    ) -> None:
        """Store the units of a complete listing that began at `listed_since` (default: now); the connection's others
        are gone, and nobody sees their documents. One of which the listing could not tell (`is_untold`) stays as it is,
        and so does one of which a listing has told that began later.

        A unit whose name or URL has changed forgets its cursor: all its documents show them, and the next read takes
        in the whole unit. So does one with other readers, unless `documents_follow`: then its documents have them, at
        once where they are fewer, and else after `let_documents_follow`. A reader that a unit has lost is revoked in
        the same transaction: from the unit, or from its documents one by one.
        """
        since = listed_since or datetime.now(UTC)
        states = {state.unit.id: state for state in self.all(connection)}
        told_later = self._told_since(connection, since)
        listed = {unit.id: unit for unit in found if unit.id not in told_later}
        known = [(states[unit.id].unit, unit) for unit in listed.values() if unit.id in states]
        changed = {unit.id for before, unit in known if _shows_change(before, unit, documents_follow)}
        missing = (state.unit for state in states.values() if state.unit.id not in listed and not state.gone)
        gone = [unit for unit in missing if unit.id not in told_later and not is_untold(unit)]
        with self._engine.begin() as transaction:
            rows = [_row(connection, source, unit) | {"listed_since": since} for unit in listed.values()]
            upsert(transaction, tables.units, rows, update=("name", "url", "readers", "gone", "listed_since"))
            news = (unit for unit in listed.values() if unit.id not in states or unit.id in changed)
            record_names(transaction, connection, news)
            if listed.keys() - states.keys():
                raise_stamp(transaction)
            _set_all(transaction, connection, [unit.id for unit in gone], gone=True, listed_since=since)
            _set_all(transaction, connection, changed, cursor=None)
            readers = {unit.id: unit.readers for unit in listed.values()}
            grant_units(transaction, connection, readers, since)
            out_of_reach = [Revocation(connection, unit.id, EVERYBODY, why_gone(unit)) for unit in gone]
            revoke(transaction, out_of_reach + follow_units(transaction, connection, known, documents_follow))

    def all(self, connection: str | None = None) -> list[UnitState]:
        """Units by connection and name, those that are gone included; without their cursors, which may be long."""
        statement = select(*_STATE_COLUMNS).order_by(tables.units.c.connection, tables.units.c.name)
        if connection is not None:
            statement = statement.where(tables.units.c.connection == connection)
        with self._engine.connect() as transaction:
            return [UnitState(**_fields(row)) for row in transaction.execute(statement)]

    def connections(self) -> dict[str, list[str]]:
        """The connections of each source that have units, those included that are gone."""
        statement = (
            select(tables.units.c.source, tables.units.c.connection).distinct().order_by(tables.units.c.connection)
        )
        found: dict[str, list[str]] = {}
        with self._engine.connect() as transaction:
            for source, connection in transaction.execute(statement):
                found.setdefault(source, []).append(connection)
        return found

    def gone(self) -> frozenset[tuple[str, str]]:
        """Connection and id of each unit that its source no longer lists."""
        statement = select(tables.units.c.connection, tables.units.c.unit).where(tables.units.c.gone)
        with self._engine.connect() as transaction:
            return frozenset((connection, unit) for connection, unit in transaction.execute(statement))

    def get(self, connection: str, unit: str) -> UnitWithCursor | None:
        table = tables.units
        columns = (*_STATE_COLUMNS, table.c.cursor, table.c.rights_cursor)
        statement = select(*columns).where(table.c.connection == connection, table.c.unit == unit)
        with self._engine.connect() as transaction:
            row = transaction.execute(statement).first()
        if row is None:
            return None
        return UnitWithCursor(**_fields(row), cursor=row.cursor, rights_cursor=row.rights_cursor)

    def cursors(self, connection: str, units: Iterable[str]) -> dict[str, Cursor]:
        """Where the connector continues in those of these units of which it has been told."""
        table, found = tables.units, dict[str, Cursor]()
        with self._engine.connect() as transaction:
            for part in in_parts(units):
                own = (table.c.connection == connection, table.c.unit.in_(part), table.c.cursor.is_not(None))
                rows = transaction.execute(select(table.c.unit, table.c.cursor).where(*own))
                found.update((row.unit, row.cursor) for row in rows)
        return found

    def start_listing(self, connection: str, unit: str, listing: str | None) -> None:
        """Begin a full read: forget the cursor, so that an interrupted one continues from its checkpoints. `listing` is
        its name where something is known of the unit that it may find gone."""
        self._set(connection, unit, cursor=None, listing=listing)

    def end_listing(self, connection: str, unit: str, uncompared: Collection[str]) -> None:
        """What is known of a unit was compared with all that there is, but for these parts."""
        self._set(connection, unit, listing=None, uncompared=sorted(uncompared) or None)

    def record_sync(self, connection: str, unit: str, error: str | None = None, cause: Cause = "other") -> None:
        """Record the end of a sync: its time where it went well, else the error that stopped it."""
        if error is None:
            self._set(connection, unit, last_sync=datetime.now(UTC), **sync_success())
        else:
            self._set(connection, unit, **sync_failure(cause, error))

    def oldest_sync(self, connection: str) -> datetime | None:
        """When the unit was read that was read longest ago; None if there is none, or one was never read. Those that
        are paused or gone do not count."""
        table = tables.units
        active = (table.c.connection == connection, ~or_(table.c.paused, table.c.gone))
        counts = select(func.count(), func.count(table.c.last_sync), func.min(table.c.last_sync)).where(*active)
        with self._engine.connect() as transaction:
            units, read, oldest = transaction.execute(counts).one()
        return oldest if units == read else None

    def last_syncs(self, connection: str) -> dict[str, datetime | None]:
        """When each unit was read to its end, by id; those that are paused or gone do not count."""
        table = tables.units
        active = (table.c.connection == connection, ~or_(table.c.paused, table.c.gone))
        with self._engine.connect() as transaction:
            found = transaction.execute(select(table.c.unit, table.c.last_sync).where(*active))
            return {row.unit: row.last_sync for row in found}

    def set_cursor(self, connection: str, unit: str, cursor: Cursor) -> None:
        """Let the next read go on from there."""
        self._set(connection, unit, cursor=cursor, rights_cursor=None)

    def forget_cursor(self, connection: str, unit: str) -> None:
        """Let the next read begin at the start."""
        self._set(connection, unit, cursor=None, rights_cursor=None)

    def lets_in_others(self, connection: str, unit: Unit) -> bool:
        """Whether `let_documents_follow` lets anybody read what they could not."""
        with self._engine.connect() as transaction:
            return widens_documents(transaction, connection, unit)

    def let_documents_follow(self, connection: str, unit: Unit) -> None:
        """Documents get the readers that their unit had when a read of it began that has come to its end, but for
        those that it has lost since. Whatever was edited or deleted before it got them has been read."""
        with self._engine.begin() as transaction:
            widen_documents(transaction, connection, unit)

    def let_documents_follow_members(self, connection: str, read_since: datetime) -> None:
        """Documents get the readers of their unit where that shuts people out and lets in nobody, as the members of
        groups tell that were read since then. For connections whose documents have their unit's readers."""
        with self._engine.begin() as transaction:
            follow_members(transaction, connection, read_since)

    def pause(self, connection: str, unit: str, paused: bool) -> None:
        self._set(connection, unit, paused=paused)

    def _told_since(self, connection: str, moment: datetime) -> frozenset[str]:
        """Units of which a listing has told that began after this moment."""
        table = tables.units
        later = select(table.c.unit).where(table.c.connection == connection, table.c.listed_since > moment)
        with self._engine.connect() as transaction:
            return frozenset(transaction.execute(later).scalars())

    def _set(self, connection: str, unit: str, **values: object) -> None:
        with self._engine.begin() as transaction:
            transaction.execute(_of(connection, [unit]).values(**values))


def move_cursor(transaction: Connection, connection: str, unit: str, cursor: Cursor) -> None:
    """Let the next read start at `cursor`; in the transaction that records what was read up to it, rights included."""
    transaction.execute(_of(connection, [unit]).values(cursor=cursor, rights_cursor=None))


def move_rights_cursor(transaction: Connection, connection: str, unit: str, cursor: Cursor) -> None:
    """Let the next reading of rights alone start at `cursor`; in the transaction that records what was told."""
    transaction.execute(_of(connection, [unit]).values(rights_cursor=cursor))


def _row(connection: str, source: str, unit: Unit) -> dict[str, object]:
    return {
        "connection": connection,
        "unit": unit.id,
        "source": source,
        "name": unit.name,
        "url": unit.url,
        "readers": list(unit.readers),
        "paused": False,
        "gone": False,
    }


def _set_all(transaction: Connection, connection: str, units: Iterable[str], **values: object) -> None:
    for part in in_parts(units):
        transaction.execute(_of(connection, part).values(**values))


def _of(connection: str, units: Sequence[str]) -> Update:
    return update(tables.units).where(tables.units.c.connection == connection, tables.units.c.unit.in_(units))


def _shows_change(before: Unit, unit: Unit, documents_follow: bool) -> bool:
    """Whether what documents show of their unit has changed since they were read."""
    if before.name != unit.name or before.url != unit.url:
        return True
    # Where no readers are told there are none to give, and what was lost is revoked.
    return bool(unit.readers) and not documents_follow and set(before.readers) != set(unit.readers)


_STATE_COLUMNS = (
    *(tables.units.c[name] for name in ("connection", "unit", "source", "name", "url", "readers")),
    *(tables.units.c[name] for name in ("listing", "uncompared", "paused", "gone", "last_sync", "error")),
    is_present(tables.units.c.cursor).label("has_cursor"),
)


def _fields(row: Row[Any]) -> dict[str, Any]:
    same = ("connection", "source", "has_cursor", "listing", "paused", "gone", "last_sync", "error")
    return {name: getattr(row, name) for name in same} | {
        "unit": Unit(row.unit, row.name, row.url, tuple(row.readers or ())),
        "uncompared": tuple(row.uncompared or ()),
    }
