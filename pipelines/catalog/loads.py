"""Loads in the landing, and how far they have come: landed, chunked, indexed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, Engine, func, insert, select, update

from pipelines.catalog import tables
from pipelines.catalog.conditions import IS_HELD, unindexed
from pipelines.catalog.statements import in_parts

LoadState: TypeAlias = Literal["landed", "chunked", "held", "indexed"]
"""`held`: all is done but for documents with texts that wait until a budget has room."""


@dataclass(frozen=True, slots=True)
class Load:
    """`documents_path` and `chunks_path` are relative to the landing."""

    id: int
    connection: str
    unit: str
    documents_path: str
    chunks_path: str | None
    documents: int
    chunks: int


@dataclass(frozen=True, slots=True)
class HeldDocuments:
    """Documents that were read and wait for a budget; the oldest was read at `since`."""

    count: int
    since: datetime


class Loads:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def pending(self, connection: str, unit: str, state: LoadState) -> list[Load]:
        """Loads of a unit that wait in `state`, oldest first."""
        table = tables.loads
        statement = (
            select(*(table.c[name] for name in Load.__slots__))
            .where(table.c.connection == connection, table.c.unit == unit, table.c.state == state)
            .order_by(table.c.id)
        )
        with self._engine.connect() as transaction:
            return [Load(*row) for row in transaction.execute(statement)]

    def newest(self) -> list[Load]:
        """Loads that hold the newest version of a document that is there, oldest first."""
        table = tables.loads
        statement = select(*(table.c[name] for name in Load.__slots__)).where(_holds_newest()).order_by(table.c.id)
        with self._engine.connect() as transaction:
            return [Load(*row) for row in transaction.execute(statement)]

    def state_of(self, load: int) -> LoadState | None:
        """How far a load has come."""
        statement = select(tables.loads.c.state).where(tables.loads.c.id == load)
        with self._engine.connect() as transaction:
            state: LoadState | None = transaction.execute(statement).scalar()
        return state

    def paths(self) -> set[str]:
        """The files of all loads."""
        table = tables.loads
        with self._engine.connect() as transaction:
            rows = transaction.execute(select(table.c.documents_path, table.c.chunks_path))
            return {path for row in rows for path in row if path}

    def units_with_pending(self) -> list[tuple[str, str]]:
        """Units (connection, unit) with loads that are not indexed yet, and do not wait for a budget."""
        table = tables.loads
        waits = table.c.state.not_in(("indexed", "held"))
        statement = select(table.c.connection, table.c.unit).where(waits).distinct()
        with self._engine.connect() as transaction:
            return [(row.connection, row.unit) for row in transaction.execute(statement)]

    def held_units(self, connection: str) -> set[str]:
        """Units with loads that wait for the connection's budget."""
        table = tables.loads
        statement = select(table.c.unit).where(table.c.connection == connection, table.c.state == "held").distinct()
        with self._engine.connect() as transaction:
            return set(transaction.execute(statement).scalars())

    def held_documents(self) -> dict[str, HeldDocuments]:
        """What waits for budgets, by connection."""
        loads, documents = tables.loads, tables.documents
        found: dict[str, HeldDocuments] = {}
        with self._engine.connect() as transaction:
            held = transaction.execute(select(loads.c.id, loads.c.connection, loads.c.landed_at).where(IS_HELD)).all()
            waiting: dict[int, int] = {}
            for part in in_parts(row.id for row in held):
                own = (documents.c.load.in_(part), unindexed(documents.c.status) == "pending")
                counts = select(documents.c.load, func.count()).where(*own).group_by(documents.c.load)
                waiting.update((load, count) for load, count in transaction.execute(counts))
        for row in (row for row in held if row.id in waiting):
            known = found.get(row.connection, HeldDocuments(0, row.landed_at))
            found[row.connection] = HeldDocuments(known.count + waiting[row.id], min(known.since, row.landed_at))
        return found

    def release_held(self, connection: str, unit: str) -> None:
        """The budget has room: what waited for it is to be indexed. Mostly there is nothing, and nothing is written."""
        table = tables.loads
        own = (table.c.connection == connection, table.c.unit == unit)
        with self._engine.connect() as reading:
            held = reading.execute(select(table.c.id).where(*own, table.c.state == "held").limit(1)).first()
        if held is not None:
            self._move(*own, before="held", to="chunked")

    def mark_held(self, load: Load) -> None:
        """What is left of a load waits for the connection's budget."""
        self._move(tables.loads.c.id == load.id, before="chunked", to="held")

    def mark_indexed(self, load: Load) -> None:
        """All that was chunked of a load is in the index. One that was not chunked to its end stays as it is."""
        self._move(tables.loads.c.id == load.id, before="chunked", to="indexed")

    def _move(self, *which: ColumnElement[bool], before: LoadState, to: LoadState) -> None:
        """Those of these loads that are in one state to another."""
        where = (*which, tables.loads.c.state == before)
        with self._engine.begin() as transaction:
            transaction.execute(update(tables.loads).where(*where).values(state=to))


def add_load(transaction: Connection, connection: str, unit: str, documents_path: str, documents: int) -> int:
    """Register a load that is complete in the landing; returns its id."""
    statement = insert(tables.loads).values(
        connection=connection,
        unit=unit,
        documents_path=documents_path,
        documents=documents,
        chunks=0,
        state="landed",
        landed_at=datetime.now(UTC),
    )
    return int(transaction.execute(statement.returning(tables.loads.c.id)).scalar_one())


def mark_chunked(transaction: Connection, load: Load, chunks_path: str, chunks: int) -> None:
    """The chunks of a load are complete in the landing."""
    transaction.execute(
        update(tables.loads)
        .where(tables.loads.c.id == load.id)
        .values(state="chunked", chunks_path=chunks_path, chunks=chunks)
    )


def requeue_newest(transaction: Connection) -> None:
    """Loads that hold the newest version of a document wait for chunking once more."""
    transaction.execute(update(tables.loads).where(_holds_newest()).values(state="landed"))


def _holds_newest() -> ColumnElement[bool]:
    documents = tables.documents
    newest = select(documents.c.load).where(documents.c.load.is_not(None), documents.c.status != "deleted")
    return tables.loads.c.id.in_(newest)
