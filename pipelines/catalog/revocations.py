"""Revocations: rights that were taken away, from the moment that is known until what is published carries it.

A row takes one reader token away from one document, or from all documents of a unit; the token `EVERYBODY` takes all.
Rows are written in the transaction that learns of them, and only what was read or listed after a row was written
gives its token back: what an older read says of that right is out of date.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)

from pipelines.audit import audit
from pipelines.catalog import tables
from pipelines.catalog.conditions import HAS_ENDING_READERS
from pipelines.catalog.moved_documents import load_moved, may_have_points
from pipelines.catalog.stamps import raise_stamp, read_stamp
from pipelines.catalog.statements import in_parts, upsert, upsert_from
from pipelines.catalog.withdrawals import Withdrawal, load_withdrawals

logger = logging.getLogger(__name__)

EVERYBODY = ""
"""Stands in a revocation for all reader tokens: nobody may see it."""

_MOST_NAMED = 100
"""Documents in one audit line; a whole unit's would make it megabytes."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """`token` is taken away from a document, or from the whole unit where `document` is empty."""

    connection: str
    unit: str
    token: str
    reason: str
    document: str = ""


@dataclass(frozen=True, slots=True)
class RevokedScope:
    """What was taken away from one unit or document. `readers` are those of now, as far as the source has told."""

    tokens: frozenset[str]
    readers: frozenset[str]

    @property
    def hidden(self) -> bool:
        return EVERYBODY in self.tokens


@dataclass(frozen=True, slots=True)
class RightsInForce:
    """All that queries have to leave out. `ends` are permissions with an end: by document, token to Unix time."""

    units: Mapping[tuple[str, str], RevokedScope] = field(default_factory=dict)
    documents: Mapping[str, RevokedScope] = field(default_factory=dict)
    withdrawals: Mapping[str, Withdrawal] = field(default_factory=dict)
    ends: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Names of the units that were not listed under the settings' patterns of now, by connection and id."""
    listed: frozenset[tuple[str, str]] | None = None
    """The units that are known at all: of any other nobody knows who may see it. None where that was not asked."""
    moved: Mapping[str, str] = field(default_factory=dict)
    """The units that documents are in now of which what is published may name another, by document."""


class Revocations:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def stamp(self) -> int:
        """Raised with each change of what `load` gives."""
        with self._engine.connect() as transaction:
            return read_stamp(transaction)

    def load(self, patterns: Mapping[str, str] = MappingProxyType({})) -> RightsInForce:
        """All that is in force now. `patterns` are those of the settings, by connection."""
        with self._engine.connect() as transaction:
            units, documents = _scopes(transaction)
            until = tables.documents.c.readers_until
            ends = transaction.execute(select(tables.documents.c.id, until).where(HAS_ENDING_READERS))
            return RightsInForce(
                units,
                documents,
                load_withdrawals(transaction),
                {one.id: one.readers_until for one in ends},
                _doubtful_names(transaction, patterns),
                _units(transaction),
                load_moved(transaction),
            )

    def of_document(self, connection: str, unit: str, document: str) -> list[dict[str, Any]]:
        """The rows that cover a document, those of its unit included, oldest first."""
        table = tables.revocations
        own = or_(table.c.document == document, and_(*_of_unit(connection, unit)))
        with self._engine.connect() as transaction:
            rows = transaction.execute(select(table).where(own).order_by(table.c.since, table.c.token))
            return [dict(row._mapping) for row in rows]

    def count(self) -> dict[str, int]:
        """How many rows are in force, by connection."""
        own = tables.revocations.c.connection
        with self._engine.connect() as transaction:
            rows = transaction.execute(select(own, func.count()).group_by(own))
            return {row[0]: row[1] for row in rows}

    def revoke(self, revocations: Sequence[Revocation]) -> None:
        """Let queries leave these out, from the next one on."""
        with self._engine.begin() as transaction:
            revoke(transaction, revocations)

    def carried(self) -> list[Row[Any]]:
        """Rows that what is written to the index carries. Ask while nobody else can write, and before publishing."""
        with self._engine.connect() as transaction:
            rows = transaction.execute(select(tables.revocations).where(tables.revocations.c.ends_at.is_(None))).all()
            live = _indexed_tokens(transaction, rows)
        return [row for row in rows if _is_carried(row, live)]

    def end(self, carried: Sequence[Row[Any]], after: timedelta = timedelta()) -> None:
        """What is published carries these now: they end, `after` some time where readers may still see the state
        before. One that was written again meanwhile stays."""
        table, now = tables.revocations, datetime.now(UTC)
        with self._engine.begin() as transaction:
            if carried:
                ending = update(table).where(_this_row()).values(ends_at=now + after)
                transaction.execute(ending, [_parameters(row) for row in carried])
            if ended := transaction.execute(delete(table).where(table.c.ends_at <= now)).rowcount:
                raise_stamp(transaction)
                logger.info("%d revocations end: what is published carries them", ended)


_ORIGIN = ("connection", "unit", "document")
_KEY = (*_ORIGIN, "token")


def revoke(transaction: Connection, revocations: Sequence[Revocation]) -> None:
    """Write rows; one that is there already counts from now."""
    if not revocations:
        return
    now = datetime.now(UTC)
    rows = [
        {name: getattr(one, name) for name in (*_KEY, "reason")} | {"since": now, "ends_at": None}
        for one in revocations
    ]
    upsert(transaction, tables.revocations, rows, update=("reason", "since", "ends_at"))
    raise_stamp(transaction)
    _note_revoked(revocations)


def count_from_now(transaction: Connection, connection: str, document: str) -> None:
    """What was taken away from a document counts from now: a read that began before gives nothing of it back."""
    table = tables.revocations
    own = (table.c.connection == connection, table.c.document == document)
    transaction.execute(update(table).where(*own).values(since=datetime.now(UTC)))


def revoke_documents(transaction: Connection, chosen: Select[tuple[str, str, str]], reason: str) -> list[str]:
    """Take all tokens from the documents that a statement chooses by connection, unit and id; returns their ids.

    In one statement: to write 10,000 rows one by one takes half a second, in which they are found.
    """
    found = transaction.execute(chosen).all()
    if not found:
        return []
    now = literal(datetime.now(UTC), tables.UtcTime)
    rows = chosen.add_columns(literal(EVERYBODY), literal(reason), now, literal(None, tables.UtcTime))
    upsert_from(
        transaction,
        tables.revocations,
        (*_ORIGIN, "token", "reason", "since", "ends_at"),
        rows,
        ("reason", "since", "ends_at"),
    )
    raise_stamp(transaction)
    _note_revoked([Revocation(one.connection, one.unit, EVERYBODY, reason, one.id) for one in found])
    return [one.id for one in found]


def _note_revoked(revocations: Sequence[Revocation]) -> None:
    """In the log how many rights were taken away where, and why; in the audit log from which documents as well."""
    revoked: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one in revocations:
        revoked[one.connection, one.unit, one.reason].append(one.document)
    for (connection, unit, reason), documents in revoked.items():
        logger.info("%s/%s: %d rights revoked: %s", connection, unit, len(documents), reason)
        named = sorted({one for one in documents if one})
        audit(
            "rights_revoked",
            connection=connection,
            unit=unit,
            documents=named[:_MOST_NAMED],
            of_documents=len(named),
            tokens=len(documents),
            reason=reason,
        )


def grant_documents(transaction: Connection, readers: Mapping[str, Collection[str]], read_since: datetime) -> set[str]:
    """Give back what a read that began at `read_since` shows to be allowed: documents exist, with these `readers`.

    Returns the documents of which it shows more than it can give back: that was taken away since it began.
    """
    table, overtaken = tables.revocations, set[str]()
    if transaction.execute(select(table.c.document).where(table.c.document != "").limit(1)).first() is None:
        return overtaken
    for part in in_parts(readers):
        rows = transaction.execute(select(table).where(table.c.document.in_(part))).all()
        shown = [row for row in rows if row.token == EVERYBODY or row.token in readers[row.document]]
        _delete(transaction, [row for row in shown if row.since < read_since])
        overtaken.update(row.document for row in shown if row.since >= read_since)
    return overtaken


def are_revoked(transaction: Connection, documents: Iterable[str]) -> bool:
    """Whether anything is taken away of one of these by itself: then their readers are part of what is in force."""
    own = tables.revocations.c.document
    return any(
        transaction.execute(select(own).where(own.in_(part)).limit(1)).first() is not None
        for part in in_parts(documents)
    )


def show_documents(transaction: Connection, ids: Iterable[str], read_since: datetime) -> None:
    """Documents that were out of reach have been named again: their readers are as they were."""
    table = tables.revocations
    for part in in_parts(ids):
        hidden = (table.c.document.in_(part), table.c.token == EVERYBODY, table.c.since < read_since)
        _delete(transaction, transaction.execute(select(table).where(*hidden)).all())


def grant_units(
    transaction: Connection, connection: str, readers: Mapping[str, Collection[str]], listed_since: datetime
) -> None:
    """Give back what a listing that began at `listed_since` shows: units exist, with these `readers`."""
    table = tables.revocations
    where = (table.c.connection == connection, table.c.document == "", table.c.since < listed_since)
    rows = transaction.execute(select(table).where(*where)).all()
    listed = [row for row in rows if row.unit in readers]
    _delete(transaction, [row for row in listed if row.token == EVERYBODY or row.token in readers[row.unit]])


def _delete(transaction: Connection, rows: Sequence[Row[Any]]) -> None:
    if rows:
        transaction.execute(delete(tables.revocations).where(_this_row()), [_parameters(row) for row in rows])
        raise_stamp(transaction)


def _this_row() -> ColumnElement[bool]:
    """A row as it was read: one that was written again since is another."""
    table = tables.revocations
    return and_(*(table.c[name] == bindparam(f"this_{name}") for name in (*_KEY, "since")))


def _parameters(row: Row[Any]) -> dict[str, Any]:
    return {f"this_{name}": getattr(row, name) for name in (*_KEY, "since")}


def _doubtful_names(transaction: Connection, patterns: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Names of the units of connections that have other patterns now than when they were listed, or none.

    What was listed under the patterns of now is what they include, by whatever name it was asked for.
    """
    table, units = tables.connections, tables.units
    rows = transaction.execute(select(table.c.connection, table.c.unit_patterns))
    agreeing = [row.connection for row in rows if patterns.get(row.connection) == row.unit_patterns]
    statement = select(units.c.connection, units.c.unit, units.c.name).where(units.c.connection.not_in(agreeing))
    return {(row.connection, row.unit): row.name for row in transaction.execute(statement)}


def _units(transaction: Connection) -> frozenset[tuple[str, str]]:
    table = tables.units
    return frozenset(
        (row.connection, row.unit) for row in transaction.execute(select(table.c.connection, table.c.unit))
    )


def _of_unit(connection: str, unit: str) -> tuple[Any, ...]:
    table = tables.revocations
    return table.c.connection == connection, table.c.unit == unit, table.c.document == ""


def _scopes(
    transaction: Connection,
) -> tuple[dict[tuple[str, str], RevokedScope], dict[str, RevokedScope]]:
    """Rows by unit and by document, with the readers of now."""
    table, units, documents = tables.revocations, tables.units, tables.documents
    same = and_(units.c.connection == table.c.connection, units.c.unit == table.c.unit)
    of_units = select(table.c.connection, table.c.unit, table.c.token, units.c.readers).outerjoin(units, same)
    by_unit: dict[tuple[str, str], _Gathered] = defaultdict(_Gathered)
    for connection, unit, token, readers in transaction.execute(of_units.where(table.c.document == "")):
        by_unit[connection, unit].add(token, readers)
    of_documents = select(table.c.document, table.c.token, documents.c.readers)
    of_documents = of_documents.outerjoin(documents, documents.c.id == table.c.document)
    by_document: dict[str, _Gathered] = defaultdict(_Gathered)
    for document, token, readers in transaction.execute(of_documents.where(table.c.document != "")):
        by_document[document].add(token, readers)
    return {key: one.scope() for key, one in by_unit.items()}, {key: one.scope() for key, one in by_document.items()}


@dataclass(slots=True)
class _Gathered:
    tokens: set[str] = field(default_factory=set)
    readers: Sequence[str] | None = None

    def add(self, token: str, readers: Sequence[str] | None) -> None:
        self.tokens.add(token)
        self.readers = readers

    def scope(self) -> RevokedScope:
        return RevokedScope(frozenset(self.tokens), frozenset(self.readers or ()))


@dataclass(frozen=True, slots=True)
class _IndexedTokens:
    """Tokens that points in the index carry, by document and by unit; None where nobody knows them."""

    documents: Mapping[str, frozenset[str] | None]
    units: Mapping[tuple[str, str], frozenset[str] | None]


def _indexed_tokens(transaction: Connection, rows: Sequence[Row[Any]]) -> _IndexedTokens:
    table = tables.documents
    documents: dict[str, frozenset[str] | None] = {}
    for part in in_parts({row.document for row in rows if row.document}):
        statement = select(table.c.id, table.c.indexed_readers).where(table.c.id.in_(part), may_have_points())
        for document_id, readers in transaction.execute(statement):
            documents[document_id] = None if readers is None else frozenset(readers)
    units: dict[tuple[str, str], frozenset[str] | None] = {}
    for key in {(row.connection, row.unit) for row in rows if not row.document and row.token != EVERYBODY}:
        where = (table.c.connection == key[0], table.c.unit == key[1], may_have_points())
        found = transaction.execute(select(table.c.indexed_readers).where(*where).distinct()).scalars().all()
        units[key] = None if None in found else frozenset(token for one in found for token in one or ())
    return _IndexedTokens(documents, units)


def _is_carried(row: Row[Any], indexed: _IndexedTokens) -> bool:
    """A unit that is hidden stays so until it is listed again."""
    if not row.document and row.token == EVERYBODY:
        return False
    missing: frozenset[str] = frozenset()
    tokens = (
        indexed.documents.get(row.document, missing)
        if row.document
        else indexed.units.get((row.connection, row.unit), missing)
    )
    if tokens is None:
        return False
    return not tokens if row.token == EVERYBODY else row.token not in tokens
