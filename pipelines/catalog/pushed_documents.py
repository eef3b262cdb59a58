"""Documents that were pushed: what is kept of each, in the order of its changes, with the events that tell of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, Engine, Row, and_, delete, exists, or_, select, union

from connectors.pushed_documents import AcceptedDocument, DocumentFields, RemovedDocument, StoredDocument
from connectors.webhooks import Event, Invalidation
from pipelines.catalog import tables
from pipelines.catalog.arrivals import Arrivals
from pipelines.catalog.events import store_event
from pipelines.catalog.narrowing import revoke_lost
from pipelines.catalog.obsolete import Retention
from pipelines.catalog.parents import DELETED
from pipelines.catalog.revocations import EVERYBODY, Revocation, count_from_now, revoke
from pipelines.catalog.stamps import next_number
from pipelines.catalog.statements import in_parts, upsert

PushResult: TypeAlias = Literal["created", "changed", "unchanged"]

_CHANGED = ("unit", "number", "changed_at", "fingerprint", "body", "fields")


@dataclass(frozen=True, slots=True)
class PushTarget:
    """A document of a connection: `name` is the id that it was given, `id` that of all it is known by here."""

    connection: str
    name: str
    id: str


class PushedDocuments:
    def __init__(self, engine: Engine, arrivals: Arrivals) -> None:
        self._engine = engine
        self._arrivals = arrivals

    def put(self, target: PushTarget, accepted: AcceptedDocument, body: str) -> PushResult:
        """Keep a document whose content is in the file `body` of the landing, durably when this returns, in the place
        of what was there. Who has lost it by that finds it no more, from then on."""
        unit, readers = accepted.unit, accepted.fields.readers
        with self._arrivals.begin() as transaction:
            number = next_number(transaction, f"pushed:{target.connection}")
            before = _find(transaction, target)
            if before is not None and before.fingerprint == accepted.fingerprint:  # somebody was quicker
                return "unchanged"
            _retire_body(transaction, before, deleted=False)
            _write(transaction, target, unit, number, accepted.fingerprint, body, accepted.fields)
            changes = [Invalidation("unit", unit)]
            if _is_new_unit(transaction, target.connection, unit):
                changes += [Invalidation("units"), Invalidation("memberships")]
            store_event(transaction, target.connection, Event(f"pushed-{number}", "document.put", tuple(changes)))
            had = before.fields.get("readers", ()) if before is not None else ()
            has_lost = revoke_lost(transaction, target.connection, unit, target.id, had, readers)
        if has_lost:
            self._count_from_now(target)
        return "changed" if before is not None and before.fingerprint else "created"

    def narrow(self, target: PushTarget, readers: Collection[str]) -> None:
        """Leave a document as it is to those of its readers that are among these; the others find it no more, from
        then on."""
        with self._arrivals.begin() as transaction:
            number = next_number(transaction, f"pushed:{target.connection}")
            before = _find(transaction, target)
            if before is None or set(before.fields.get("readers", ())) <= set(readers):
                return
            had = before.fields["readers"]
            fields = DocumentFields.model_validate(
                {**before.fields, "readers": [reader for reader in had if reader in readers]}
            )
            _write(transaction, target, before.unit, number, f"narrowed-{number}", before.body, fields)
            change = Invalidation("unit", before.unit)
            store_event(transaction, target.connection, Event(f"pushed-{number}", "document.put", (change,)))
            revoke_lost(transaction, target.connection, before.unit, target.id, had, fields.readers)
        self._count_from_now(target)

    def remove(self, target: PushTarget) -> bool:
        """Delete a document, which nobody finds from then on; False where there is none."""
        with self._arrivals.begin() as transaction:
            number = next_number(transaction, f"pushed:{target.connection}")
            before = _find(transaction, target)
            if before is None or not before.fingerprint:
                return False
            _retire_body(transaction, before, deleted=True)
            _write(transaction, target, before.unit, number)
            gone = Invalidation("document", before.unit, target.id, withdraws=True, deleted=True)
            store_event(transaction, target.connection, Event(f"pushed-{number}", "document.delete", (gone,)))
            # Of one that is being read for the first time, the event finds nothing to hide.
            revoke(transaction, [Revocation(target.connection, before.unit, EVERYBODY, DELETED, target.id)])
        self._count_from_now(target)
        return True

    def _count_from_now(self, target: PushTarget) -> None:
        """A read that began while a change was being written did not see it, and gives nothing back."""
        with self._engine.begin() as transaction:
            count_from_now(transaction, target.connection, target.id)

    def units(self, connection: str) -> list[str]:
        """Units to which something was pushed."""
        table = tables.pushed_units
        statement = select(table.c.unit).where(table.c.connection == connection).order_by(table.c.unit)
        with self._engine.connect() as transaction:
            return list(transaction.execute(statement).scalars())

    def changes(self, connection: str, unit: str, after: int, limit: int) -> list[StoredDocument | RemovedDocument]:
        """Documents of a unit whose last change has a higher number than `after`, in order of the numbers."""
        table = tables.pushed_documents
        own = (table.c.connection == connection, table.c.unit == unit, table.c.number > after)
        statement = select(table).where(*own).order_by(table.c.number).limit(limit)
        with self._engine.connect() as transaction:
            return [_stored(row) for row in transaction.execute(statement)]

    def find(self, connection: str, names: Iterable[str]) -> dict[str, StoredDocument | RemovedDocument]:
        """Those of these documents that are known, by name."""
        table, found = tables.pushed_documents, dict[str, StoredDocument | RemovedDocument]()
        with self._engine.connect() as transaction:
            for part in in_parts(names):
                own = (table.c.connection == connection, table.c.name.in_(part))
                found |= {row.name: _stored(row) for row in transaction.execute(select(table).where(*own))}
        return found

    def forget(self, connection: str, units: Sequence[str] | None) -> list[str]:
        """Forget what was pushed to these units, or to the whole connection; returns the files it was in."""
        documents, obsolete = tables.pushed_documents, tables.obsolete_bodies
        bodies: list[str] = []
        with self._engine.begin() as transaction:
            for table in (documents, obsolete):
                for own in _of_units(table, connection, units):
                    bodies += transaction.execute(select(table.c.body).where(own, table.c.body != "")).scalars()
            for table in (documents, obsolete, tables.pushed_units):
                for own in _of_units(table, connection, units):
                    transaction.execute(delete(table).where(own))
        return bodies

    def obsolete_bodies(self, retention: Retention) -> list[str]:
        """Files of the landing that are to go."""
        table = tables.obsolete_bodies
        due = or_(
            and_(table.c.deleted.is_(False), table.c.since <= retention.superseded),
            and_(table.c.deleted.is_(True), table.c.since <= retention.deleted),
        )
        with self._engine.connect() as transaction:
            return list(transaction.execute(select(table.c.body).where(due).order_by(table.c.since)).scalars())

    def record_removed(self, bodies: Collection[str]) -> None:
        """These files are gone."""
        table = tables.obsolete_bodies
        with self._engine.begin() as transaction:
            for part in in_parts(bodies):
                transaction.execute(delete(table).where(table.c.body.in_(part)))

    def forget_deleted(self, retention: Retention) -> int:
        """Forget the ids of documents that were deleted so long ago that every read has told of it; how many."""
        table = tables.pushed_documents
        with self._engine.begin() as transaction:
            gone = (table.c.fingerprint == "", table.c.changed_at <= retention.deleted)
            return transaction.execute(delete(table).where(*gone)).rowcount

    def known_bodies(self) -> set[str]:
        """All files that something here names."""
        named = union(*(select(table.c.body) for table in (tables.pushed_documents, tables.obsolete_bodies)))
        with self._engine.connect() as transaction:
            return set(transaction.execute(named).scalars())


def _find(transaction: Connection, target: PushTarget) -> Row[Any] | None:
    table = tables.pushed_documents
    own = (table.c.connection == target.connection, table.c.name == target.name)
    return transaction.execute(select(table).where(*own)).first()


def _write(
    transaction: Connection,
    target: PushTarget,
    unit: str,
    number: int,
    fingerprint: str = "",
    body: str = "",
    fields: DocumentFields | None = None,
) -> None:
    """Without fingerprint, body and fields it is deleted."""
    row = {
        "connection": target.connection,
        "name": target.name,
        "unit": unit,
        "number": number,
        "changed_at": datetime.now(UTC),
        "fingerprint": fingerprint,
        "body": body,
        "fields": fields.model_dump(mode="json") if fields else {},
    }
    upsert(transaction, tables.pushed_documents, [row], update=_CHANGED)


def _retire_body(transaction: Connection, before: Row[Any] | None, *, deleted: bool) -> None:
    if before is not None and before.body:
        row = {
            "body": before.body,
            "connection": before.connection,
            "unit": before.unit,
            "deleted": deleted,
            "since": datetime.now(UTC),
        }
        upsert(transaction, tables.obsolete_bodies, [row])


def _is_new_unit(transaction: Connection, connection: str, unit: str) -> bool:
    """Whether the unit has to be listed before anything of it is read."""
    upsert(transaction, tables.pushed_units, [{"connection": connection, "unit": unit}])
    table = tables.units
    listed = and_(table.c.connection == connection, table.c.unit == unit, table.c.gone.is_(False))
    return not transaction.execute(select(exists().where(listed))).scalar_one()


def _stored(row: Row[Any]) -> StoredDocument | RemovedDocument:
    if not row.fingerprint:
        return RemovedDocument(row.name, row.unit, row.number)
    fields = DocumentFields.model_validate(row.fields)
    return StoredDocument(row.name, row.unit, row.number, fields, row.fingerprint, row.body)


def _of_units(table: Any, connection: str, units: Sequence[str] | None) -> Iterable[Any]:
    if units is None:
        yield table.c.connection == connection
        return
    for part in in_parts(units):
        yield and_(table.c.connection == connection, table.c.unit.in_(part))
