"""Every object of every source: its version, its status, and what is in the index of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, and_, bindparam, exists, func, or_, select, true, update

from connectors.contract import ATTACHMENT
from pipelines.catalog import tables
from pipelines.catalog.conditions import HAS_FAILED, IS_HIDDEN
from pipelines.catalog.moved_documents import MOVED
from pipelines.catalog.outcomes import (
    MOST_READINGS,
    UNFINISHED,
    Readers,
    Status,
    hide,
    mark_listed,
)
from pipelines.catalog.revocations import show_documents
from pipelines.catalog.statements import in_parts


class Indexed(NamedTuple):
    """What the index holds of a document: a version (None: none), how many points, whom they name as readers, and what
    of it was not read."""

    version: str | None
    chunks: int
    readers: tuple[str, ...]
    partly_read: str | None = None


@dataclass(frozen=True, slots=True)
class FailedDocuments:
    """How many there are, and the first of them by its id."""

    count: int
    document_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class DocumentState:
    id: str
    unit: str
    title: str
    url: str
    status: Status
    version: str | None
    load: int | None
    indexed_version: str | None
    attempts: int
    next_attempt: datetime | None
    updated_at: datetime | None
    fingerprint: str | None
    content_key: str | None
    readers: tuple[str, ...] | None
    readers_until: dict[str, float] | None
    indexed_readers: tuple[str, ...] | None
    hidden: str | None
    reason: str | None

    @property
    def known_readers(self) -> Readers | None:
        """Who may read it, as far as the source has told; None where it never has, or where it is out of reach."""
        if self.readers is None or self.hidden is not None:
            return None
        return Readers(self.readers, self.readers_until or {})

    @property
    def may_have_points(self) -> bool:
        """Whether an index may hold anything of it, be it only the one that is published."""
        return self.indexed_version is not None or self.indexed_readers is not None

    def is_elsewhere(self, unit: str) -> bool:
        """Whether this unit has not read it, but another one."""
        return self.unit != unit or self.hidden == MOVED

    @property
    def ends_its_readers(self) -> bool:
        """Whether reading it has ended the process that did as often as it may."""
        return self.reason == UNFINISHED and self.attempts >= MOST_READINGS


class Documents:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def states(self, ids: Iterable[str]) -> dict[str, DocumentState]:
        """States of the known ones among `ids`."""
        found: dict[str, DocumentState] = {}
        with self._engine.connect() as transaction:
            for part in in_parts(ids):
                rows = transaction.execute(select(*_STATE_COLUMNS).where(tables.documents.c.id.in_(part)))
                found.update((row.id, DocumentState(*row)) for row in rows)
        return found

    def present(self, ids: Iterable[str]) -> set[str]:
        """Those among `ids` that are neither deleted nor in a unit that its source no longer lists."""
        table, units = tables.documents, tables.units
        same = (units.c.connection == table.c.connection, units.c.unit == table.c.unit)
        listed = ~exists().where(*same, units.c.gone.is_(True))
        found: set[str] = set()
        with self._engine.connect() as transaction:
            for part in in_parts(ids):
                own = (table.c.id.in_(part), table.c.status != "deleted", listed)
                found.update(transaction.execute(select(table.c.id).where(*own)).scalars())
        return found

    def in_load(self, load: int) -> dict[str, DocumentState]:
        """Documents whose newest version a load holds; its other rows are out of date."""
        with self._engine.connect() as transaction:
            rows = transaction.execute(select(*_STATE_COLUMNS).where(tables.documents.c.load == load))
            return {row.id: DocumentState(*row) for row in rows}

    def by_id_or_url(self, id_or_url: str) -> list[dict[str, Any]]:
        """The rows of the document with this id, or else of those at this URL, ordered by id."""
        table = tables.documents
        with self._engine.connect() as transaction:
            for column in (table.c.id, table.c.url):
                rows = transaction.execute(select(table).where(column == id_or_url).order_by(table.c.id)).all()
                if rows:
                    return [dict(row._mapping) for row in rows]
        return []

    def by_id_suffix(self, name: str) -> list[dict[str, Any]]:
        """The rows of the documents whose id ends with this name; searches all ids."""
        table = tables.documents
        ending = f"/{name}"
        statement = select(table).where(table.c.id.endswith(ending, autoescape=True)).order_by(table.c.id)
        with self._engine.connect() as transaction:
            rows = [dict(row._mapping) for row in transaction.execute(statement)]
        # SQLite's LIKE takes upper and lower case for the same, and providers' ids do not.
        return [row for row in rows if row["id"].endswith(ending)]

    def ids_by_url(self, urls: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Ids of the documents at each of these URLs; URLs of none are left out."""
        table = tables.documents
        found: dict[str, tuple[str, ...]] = {}
        with self._engine.connect() as transaction:
            for part in in_parts(urls):
                statement = select(table.c.url, table.c.id).where(table.c.url.in_(part)).order_by(table.c.id)
                for url, document_id in transaction.execute(statement):
                    found[url] = (*found.get(url, ()), document_id)
        return found

    def ids_by_title(self, titles: Iterable[str], most: int) -> list[str]:
        """Ids of documents with one of these titles that are not deleted; looks at all documents."""
        table, found = tables.documents, list[str]()
        with self._engine.connect() as transaction:
            for part in in_parts(titles):
                own = (table.c.title.in_(part), table.c.status != "deleted")
                statement = select(table.c.id).where(*own).order_by(table.c.id).limit(most)
                found += transaction.execute(statement).scalars()
        return found[:most]

    def unit_of(self, document_id: str) -> str | None:
        """The unit in which a document was last seen, or else the nearest one that the path of its id is below."""
        table, parts = tables.documents, document_id.split("/")
        above = ["/".join(parts[:length]) for length in range(len(parts), 1, -1)]
        statement = select(table.c.unit).where(table.c.id.in_(above)).order_by(func.length(table.c.id).desc())
        with self._engine.connect() as transaction:
            return transaction.execute(statement).scalar()

    def missing_from(self, connection: str, unit: str, listing: str | None) -> list[str]:
        """Live documents of a unit that are missing from a full listing; all, where there is no listing."""
        table = tables.documents
        elsewhere = table.c.listing.is_distinct_from(listing) if listing else true()
        return self._ids(connection, unit, table.c.status != "deleted", elsewhere)

    def mark_listed(self, ids: Sequence[str], listing: str, listed_since: datetime) -> None:
        """Mark documents as named by a full listing that began at `listed_since`: none of them is out of reach."""
        with self._engine.begin() as transaction:
            mark_listed(transaction, ids, listing)
            found = list(_out_of_reach(transaction, ids))
            hide(transaction, found, None)
            show_documents(transaction, found, listed_since)

    def mark_attachments_listed(
        self, connection: str, unit: str, listing: str, changed: Set[str], listed_since: datetime
    ) -> None:
        """Mark the attachments (`<document id>/files/…`) of documents that a listing named and that are not among the
        `changed`. Listings show no attachments: one stays as long as its document is unchanged."""
        table = tables.documents
        unnamed = table.c.listing.is_distinct_from(listing)
        attached = self._ids(connection, unit, table.c.status != "deleted", unnamed, table.c.id.contains(ATTACHMENT))
        holders = {own.partition(ATTACHMENT)[0] for own in attached} - changed
        named: set[str] = set()
        with self._engine.connect() as transaction:
            for part in in_parts(holders):
                statement = select(table.c.id).where(table.c.id.in_(part), table.c.listing == listing)
                named.update(transaction.execute(statement).scalars())
        listed = [own for own in attached if own.partition(ATTACHMENT)[0] in named]
        self.mark_listed(listed, listing, listed_since)

    def count_live(self, connection: str, unit: str) -> int:
        """How many documents of a unit are not deleted."""
        return self._count(connection, unit, tables.documents.c.status != "deleted")

    def count_indexed(self, connection: str, unit: str) -> int:
        """How many documents of a unit have points in the index."""
        return self._count(connection, unit, tables.documents.c.chunks > 0)

    def count_failed(self, connection: str) -> FailedDocuments | None:
        """The failed documents of a connection's units that are listed; None where there is none."""
        table, units = tables.documents, tables.units
        same = and_(units.c.connection == table.c.connection, units.c.unit == table.c.unit)
        where = (table.c.connection == connection, HAS_FAILED, units.c.gone.is_(False))
        counted = select(func.count(), func.min(table.c.id)).join(units, same).where(*where)
        with self._engine.connect() as transaction:
            count, first = transaction.execute(counted).one()
            if first is None:
                return None
            reason = transaction.execute(select(table.c.reason).where(table.c.id == first)).scalar()
        return FailedDocuments(count, first, reason or "")

    def count_kept(self, connection: str) -> dict[str, int]:
        """How many documents of units that are listed are kept although they could not be found any more, by unit."""
        table, units = tables.documents, tables.units
        same = and_(units.c.connection == table.c.connection, units.c.unit == table.c.unit)
        where = (table.c.connection == connection, units.c.gone.is_(False), *_is_out_of_reach())
        statement = select(table.c.unit, func.count()).join(units, same).where(*where).group_by(table.c.unit)
        with self._engine.connect() as transaction:
            return {row[0]: row[1] for row in transaction.execute(statement)}

    def totals(self) -> dict[tuple[str, str], dict[str, int]]:
        """Counts by (connection, unit), then status."""
        table = tables.documents
        statement = select(table.c.connection, table.c.unit, table.c.status, func.count()).group_by(
            table.c.connection, table.c.unit, table.c.status
        )
        counts: dict[tuple[str, str], dict[str, int]] = {}
        with self._engine.connect() as transaction:
            for connection, unit, status, count in transaction.execute(statement):
                counts.setdefault((connection, unit), {})[status] = count
        return counts

    def troubled(self, connection: str | None = None) -> Iterator[dict[str, Any]]:
        """Documents that failed, were skipped, or of which a part was not read, with their reasons."""
        table = tables.documents
        statement = select(
            table.c.connection, table.c.unit, table.c.id, table.c.status, table.c.reason, table.c.next_attempt
        ).where(
            or_(
                table.c.status.in_(("failed", "skipped")),
                and_(table.c.status == "indexed", table.c.reason.is_not(None)),
            )
        )
        if connection is not None:
            statement = statement.where(table.c.connection == connection)
        with self._engine.connect() as transaction:
            for row in transaction.execute(statement.order_by(table.c.id)):
                yield dict(row._mapping)

    def record_indexed(self, indexed: Mapping[str, Indexed]) -> None:
        """Record what the index holds of each document now. One that could not be read since that version was stays
        failed, and is tried again."""
        now = datetime.now(UTC)
        held = [
            {"own": one, "of": found.version, "points": found.chunks, "tokens": found.readers, "now": now}
            for one, found in indexed.items()
        ]
        well = [
            {"own": one, "of": found.version, "unread": found.partly_read}
            for one, found in indexed.items()
            if found.version is not None
        ]
        with self._engine.begin() as transaction:
            for statement, rows in ((_HOLDS, held), (_IS_WELL, well)):
                if rows:
                    transaction.execute(statement, rows)

    @contextmanager
    def attempt(self, state: DocumentState) -> Iterator[None]:
        """Count an attempt before it is made, and take it back once it has ended, however: what stays of it was made by
        a process that died in it."""
        self._count_attempt(state.id, state.attempts + 1, UNFINISHED)
        try:
            yield
        finally:
            self._count_attempt(state.id, state.attempts, state.reason)

    def _count_attempt(self, document_id: str, attempts: int, reason: str | None) -> None:
        own = tables.documents.c.id == document_id
        with self._engine.begin() as transaction:
            transaction.execute(update(tables.documents).where(own).values(attempts=attempts, reason=reason))

    def _count(self, connection: str, unit: str, condition: ColumnElement[bool]) -> int:
        table = tables.documents
        statement = select(func.count()).where(table.c.connection == connection, table.c.unit == unit, condition)
        with self._engine.connect() as transaction:
            return transaction.execute(statement).scalar_one()

    def _ids(self, connection: str, unit: str, *conditions: Any) -> list[str]:
        table = tables.documents
        statement = select(table.c.id).where(table.c.connection == connection, table.c.unit == unit, *conditions)
        with self._engine.connect() as transaction:
            return list(transaction.execute(statement.order_by(table.c.id)).scalars())


def _out_of_reach(transaction: Connection, ids: Iterable[str]) -> Iterator[str]:
    """Those of `ids` that are hidden because they could not be found. Where an attempt to read one failed, or none was
    made in its unit, being named says nothing of who may see it."""
    table = tables.documents
    for part in in_parts(ids):
        where = (table.c.id.in_(part), *_is_out_of_reach(), table.c.hidden != MOVED)
        yield from transaction.execute(select(table.c.id).where(*where)).scalars().all()


def _is_out_of_reach() -> tuple[ColumnElement[bool], ...]:
    table = tables.documents
    return IS_HIDDEN, table.c.status.not_in(("failed", "deleted"))


_STATE_COLUMNS = tuple(tables.documents.c[name].label(name) for name in DocumentState.__slots__)

_OWN = tables.documents.c.id == bindparam("own")
_HOLDS = (
    update(tables.documents)
    .where(_OWN)
    .values(
        indexed_version=bindparam("of"),
        chunks=bindparam("points"),
        indexed_readers=bindparam("tokens"),
        changed_at=bindparam("now"),
    )
)
_IS_WELL = (
    update(tables.documents)
    .where(_OWN, tables.documents.c.version == bindparam("of"))
    .values(status="indexed", attempts=0, next_attempt=None, reason=bindparam("unread"))
)
