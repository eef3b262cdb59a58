"""Rights of documents: what a read shows of them, and how far the index is behind."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from connectors.model import readers_include
from pipelines.catalog import tables
from pipelines.catalog.conditions import (
    HAS_ENDING_READERS,
    HAS_NO_VERSION,
    IS_BEHIND,
    OWN_READERS,
    SHOWS_READERS,
    WITHOUT_VERSION,
)
from pipelines.catalog.contents import find_mismatched
from pipelines.catalog.moved_documents import MOVED, hand_over, has_moved, may_have_points
from pipelines.catalog.obsolete import mark_unit_obsolete
from pipelines.catalog.outcomes import NO_POINTS, Readers, hide, update_readers
from pipelines.catalog.parents import record_parents
from pipelines.catalog.revocations import EVERYBODY, Revocation, are_revoked, grant_documents, revoke, revoke_documents
from pipelines.catalog.stamps import raise_stamp
from pipelines.catalog.statements import in_parts
from pipelines.catalog.unit_readers import tell_readers
from pipelines.catalog.withdrawals import Withdrawal, permit_versions, withdraw

_GONE = "gone at the source, or who may read it cannot be told"
_NARROWED = "no longer among its readers at the source"
SETTINGS_CHANGED = "the settings have changed, and who they let read it was not read anew since"
PERMISSION_ENDED = "its permission at the source has ended"

TokensById = Mapping[str, Collection[str]]
TokensEndings = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class RightsToApply:
    """Documents whose points are to be removed, and those whose points are to get other readers, by readers.

    `indexed` is how many documents of the unit have points, those to be removed aside; of more than have the same
    change it says no more than that. `settled` says that these points name the unit, and no others do: none of the
    connection's documents has moved of late.
    """

    removed: Sequence[str]
    changed: Mapping[tuple[str, ...], Sequence[str]]
    indexed: int
    settled: bool = True

    def __bool__(self) -> bool:
        return bool(self.removed or self.changed)


class Rights:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def hide(self, connection: str, unit: str, ids: Sequence[str], reason: str) -> None:
        """Nobody may see these from now on; they are kept."""
        with self._engine.begin() as transaction:
            hide(transaction, ids, reason)
            revoke(transaction, [Revocation(connection, unit, EVERYBODY, reason, one) for one in ids])

    def hand_over(self, connection: str, unit: str, document: str, to: str) -> None:
        """A document is in another unit now: nobody sees it until that one has read it, as its next sync or reconcile
        does. What is in another unit already stays as it is."""
        with self._engine.begin() as transaction:
            if hand_over(transaction, connection, unit, document, to):
                revoke(transaction, [Revocation(connection, unit, EVERYBODY, MOVED, document)])

    def hide_units(self, connection: str, units: Sequence[str], reason: str) -> None:
        """Nobody finds anything of these units from the next query on.

        The documents are hidden one by one, too: a unit may be listed again before what is published has lost them.
        """
        table = tables.documents
        with self._engine.begin() as transaction:
            revoke(transaction, [Revocation(connection, unit, EVERYBODY, reason) for unit in units])
            for part in in_parts(units):
                own = (table.c.connection == connection, table.c.unit.in_(part), may_have_points())
                chosen = select(table.c.connection, table.c.unit, table.c.id).where(*own)
                revoke_documents(transaction, chosen, reason)

    def revoke(self, connection: str, unit: str, revoked: Mapping[str, tuple[str, ...]]) -> None:
        """Documents have lost these reader tokens: queries leave them out from the next one on."""
        with self._engine.begin() as transaction:
            revoke(transaction, _revocations(connection, unit, revoked))

    def keep_readers(self, connection: str, certain: Collection[str]) -> None:
        """Documents of a connection are for no others than these until they are read again."""
        table = tables.documents
        statement = select(table.c.unit, table.c.id, table.c.readers, table.c.indexed_readers)
        own = (table.c.connection == connection, table.c.status != "deleted")
        with self._engine.begin() as transaction:
            rows = transaction.execute(statement.where(*own)).all()
            lost = {(row.unit, row.id): {*(row.readers or ()), *(row.indexed_readers or ())} for row in rows}
            revocations = [
                Revocation(connection, unit, token, SETTINGS_CHANGED, document)
                for (unit, document), tokens in lost.items()
                for token in sorted(tokens.difference(certain))
            ]
            revoke(transaction, revocations)

    def end_sooner(self, told: TokensEndings) -> None:
        """Permissions of documents end at these Unix times, by reader token, where nobody knew of so early an end."""
        table = tables.documents
        with self._engine.begin() as transaction:
            for part in in_parts(told):
                own = (table.c.id.in_(part), table.c.readers.is_not(None))
                for row in transaction.execute(select(table.c.id, table.c.readers, table.c.readers_until).where(*own)):
                    known = row.readers_until or {}
                    sooner = {
                        token: end
                        for token, end in told[row.id].items()
                        if token in row.readers and end < known.get(token, inf)
                    }
                    if sooner:
                        values = {"readers_until": {**known, **sooner}}
                        transaction.execute(update(table).where(table.c.id == row.id).values(values))
                        raise_stamp(transaction)

    def remove_unit(self, connection: str, unit: str) -> int:
        """The documents of a unit that was hidden are to go, and one that is listed again is read anew.

        Returns how many documents there were.
        """
        table = tables.documents
        own = (table.c.connection == connection, table.c.unit == unit, table.c.status != "deleted")
        now = datetime.now(UTC)
        gone = {"status": "deleted", "version": None, "load": None, "hidden": None, "reason": None, "changed_at": now}
        units = tables.units
        with self._engine.begin() as transaction:
            mark_unit_obsolete(transaction, connection, unit, now)
            same = (units.c.connection == connection, units.c.unit == unit)
            transaction.execute(update(units).where(*same).values(gone=True, cursor=None))
            return transaction.execute(update(table).where(*own).values(gone)).rowcount

    def units_behind(self, connection: str) -> list[str]:
        """Units of a connection in which the index is behind."""
        table, units = tables.documents, tables.units
        behind = select(table.c.unit).where(table.c.connection == connection, IS_BEHIND)
        same = (table.c.connection == units.c.connection, table.c.unit == units.c.unit)
        of_unit = exists().where(*same, table.c.chunks > 0, SHOWS_READERS)
        gone = select(units.c.unit).where(units.c.connection == connection, units.c.gone.is_(True), of_unit)
        with self._engine.connect() as transaction:
            return sorted(transaction.execute(behind.union(gone)).scalars())

    def to_apply(self, connection: str, unit: str) -> RightsToApply:
        """What the index is behind with in one unit."""
        table = tables.documents
        own = (table.c.connection == connection, table.c.unit == unit)
        removed, changed = list[str](), dict[tuple[str, ...], list[str]]()
        with self._engine.connect() as transaction:
            now, is_behind = OWN_READERS, IS_BEHIND
            if _is_gone(transaction, connection, unit):
                now = literal((), tables.TokenSet)
                is_behind = and_(table.c.chunks > 0, or_(HAS_NO_VERSION, SHOWS_READERS))
            statement = select(table.c.id, table.c.status, now.label("now"), *_INDEXED).where(*own, is_behind)
            for row in transaction.execute(statement.order_by(table.c.id)):
                if row.status in WITHOUT_VERSION:
                    removed.append(row.id)
                elif (readers := _readers_due(row)) != row.indexed_readers:
                    changed.setdefault(readers, []).append(row.id)
            if not changed:
                return RightsToApply(removed, {}, 0)
            # More than are changed alike at most need not be counted.
            most = max(map(len, changed.values())) + 1
            live = select(table.c.id).where(*own, table.c.chunks > 0, ~HAS_NO_VERSION).limit(most)
            indexed = transaction.execute(select(func.count()).select_from(live.subquery())).scalar_one()
            settled = not has_moved(transaction, connection)
        return RightsToApply(removed, changed, indexed, settled)

    def record_intended(self, readers: TokensById) -> None:
        """Points with these readers are about to be written: from now on any of them may be found in the index, even
        if this process is killed before it records what it wrote."""
        table = tables.documents
        own = update(table).where(table.c.id == bindparam("own")).values(indexed_readers=bindparam("tokens"))
        with self._engine.begin() as transaction:
            for part in in_parts(readers):
                known = transaction.execute(select(table.c.id, table.c.indexed_readers).where(table.c.id.in_(part)))
                wider = [
                    {"own": document_id, "tokens": {*(before or ()), *readers[document_id]}}
                    for document_id, before in known
                    if before is None or not set(readers[document_id]) <= set(before)
                ]
                if wider:
                    transaction.execute(own, wider)

    def record_applied(self, applied: RightsToApply) -> None:
        """The index has followed."""
        table, now = tables.documents, datetime.now(UTC)
        with self._engine.begin() as transaction:
            for part in in_parts(applied.removed):
                transaction.execute(update(table).where(table.c.id.in_(part)).values(NO_POINTS))
            for readers, ids in applied.changed.items():
                for part in in_parts(ids):
                    values = {"indexed_readers": readers, "changed_at": now}
                    transaction.execute(update(table).where(table.c.id.in_(part)).values(values))

    def expire(self, connection: str, unit: str) -> None:
        """Permissions whose end has come are none any more."""
        table, now = tables.documents, datetime.now(UTC).timestamp()
        own = (table.c.connection == connection, table.c.unit == unit, HAS_ENDING_READERS)
        statement = select(table.c.id, table.c.readers, table.c.readers_until).where(*own).order_by(table.c.id)
        with self._engine.connect() as reading:
            if not any(end <= now for _, _, until in reading.execute(statement) for end in until.values()):
                return
        with self._engine.begin() as transaction:
            left: dict[str, Readers] = {}
            ended: list[Revocation] = []
            for document_id, readers, until in transaction.execute(statement):
                lost = {token for token, end in until.items() if end <= now}
                if lost:
                    kept = {token: end for token, end in until.items() if token not in lost}
                    left[document_id] = Readers(tuple(one for one in readers if one not in lost), kept)
                    ended += [
                        Revocation(connection, unit, token, PERMISSION_ENDED, document_id) for token in sorted(lost)
                    ]
            update_readers(transaction, left)
            revoke(transaction, ended)


def _is_gone(transaction: Connection, connection: str, unit: str) -> bool:
    units = tables.units
    gone = select(units.c.gone).where(units.c.connection == connection, units.c.unit == unit)
    return bool(transaction.execute(gone).scalar())


_INDEXED = tuple(tables.documents.c[name] for name in ("version", "indexed_version", "indexed_readers"))


def _readers_due(row: Row[Any]) -> tuple[str, ...]:
    """Whom the points of a document are to name. Those of an older version than the one that was read with its readers
    of now get no new ones: what these were not to see may have been taken out of it. Where it has lost others besides,
    it keeps them, and queries leave out what was revoked: who was among its readers, and still is, finds it by both."""
    is_current = row.indexed_version is not None and row.indexed_version == row.version
    if is_current or readers_include(row.indexed_readers or (), row.now):
        return tuple(row.now)
    return row.indexed_readers or ()


@dataclass(slots=True)
class RightsRead:
    """Readers of documents that a read which began at `read_since` shows: all of them, those that are new, and the
    reader tokens that documents have lost. Beside them the versions that were read, what was withdrawn of their text,
    and the ids of the containers that they are in, the outermost first. With `follow_unit` they have the readers of
    their unit, and no others."""

    read_since: datetime = field(default_factory=lambda: datetime.now(UTC))
    follow_unit: bool = False
    readers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    changed: dict[str, Readers] = field(default_factory=dict)
    revoked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    withdrawals: dict[str, Withdrawal] = field(default_factory=dict)
    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ends: bool = False
    """Whether the end of a permission is among what has changed."""
    content_keys: dict[str, str] = field(default_factory=dict)
    """Of documents whose content was not read: what has to be landed of them for all this to be so."""
    of_other_contents: set[str] = field(default_factory=set)
    """Once it is written: documents of which something else is landed. What they have lost counts."""
    overtaken: set[str] = field(default_factory=set)
    """Once it is written: documents of which something was taken away since the read began, and which it shows to be
    allowed, and those of other contents. They are to be looked at again."""

    def add(self, document: str, known: Readers | None, readers: Readers | None, revoked: tuple[str, ...]) -> None:
        """`readers` is None where none were read, because the object is gone or failed; `known` are those so far."""
        if readers is not None:
            self.readers[document] = readers.tokens
            if readers != known:
                self.changed[document] = readers
                self.ends |= bool(readers.until or (known and known.until))
        if revoked:
            self.revoked[document] = revoked

    def write(self, transaction: Connection, connection: str, unit: str) -> None:
        """In the transaction that records what was read."""
        self._leave_other_contents(transaction)
        record_parents(transaction, connection, unit, self.parents)
        update_readers(transaction, self.changed)
        if self.ends or are_revoked(transaction, self.changed):
            raise_stamp(transaction)
        self.overtaken |= grant_documents(transaction, self.readers, self.read_since)
        revoke(transaction, _revocations(connection, unit, self.revoked))
        self.overtaken |= permit_versions(transaction, self.versions, self.read_since)
        withdraw(transaction, connection, unit, self.withdrawals)
        if self.follow_unit:
            tell_readers(transaction, connection, unit, set(self.readers.values()), self.read_since)

    def _leave_other_contents(self, transaction: Connection) -> None:
        self.of_other_contents = find_mismatched(transaction, self.content_keys)
        told: tuple[dict[str, Any], ...] = (self.readers, self.changed, self.versions, self.parents)
        for document in self.of_other_contents:
            for found in told:
                found.pop(document, None)
        self.overtaken |= self.of_other_contents


def _revocations(connection: str, unit: str, revoked: Mapping[str, tuple[str, ...]]) -> list[Revocation]:
    return [
        Revocation(connection, unit, token, _GONE if token == EVERYBODY else _NARROWED, document)
        for document, tokens in revoked.items()
        for token in tokens
    ]
