"""Statements that SQLAlchemy leaves to its users: insert-or-update in both dialects, long lists in parts, and
reads that hold until the transaction ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, Table, TextClause, bindparam, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine.interfaces import BindTyping

T = TypeVar("T")


class _WithoutCasts(PGDialect):
    """Parameters get their types, which PostgreSQL is told by casts, where the statement is executed."""

    bind_typing = BindTyping.NONE


_NAMED = {
    "postgresql": _WithoutCasts(paramstyle="named"),  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    "sqlite": SQLiteDialect(paramstyle="named"),
}
"""By which statements are written with names for their parameters."""


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    update: Iterable[str] = (),
    increase: Iterable[str] = (),
    key: Sequence[str] = (),
) -> None:
    """Insert `rows`; where the `key` (default: the primary key) exists, set the columns named in `update` and add to
    those named in `increase` (none: leave it)."""
    if rows:
        columns = tuple(rows[0])
        connection.execute(_upsert(connection.dialect.name, table, columns, *map(tuple, (update, increase, key))), rows)


@cache
def _upsert(
    dialect: str,
    table: Table,
    columns: tuple[str, ...],
    update: tuple[str, ...],
    increase: tuple[str, ...],
    key: tuple[str, ...],
) -> TextClause:
    """The statement as text, which SQLAlchemy writes once: one with a conflict it would write anew each time, in more
    time than it takes to be executed."""
    statement = _insert(dialect, table).values({name: bindparam(name) for name in columns})
    key = key or tuple(column.name for column in table.primary_key)
    changes: dict[str, Any] = {name: statement.excluded[name] for name in update}
    changes |= {name: table.c[name] + statement.excluded[name] for name in increase}
    if changes:
        statement = statement.on_conflict_do_update(index_elements=key, set_=changes)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    written = str(statement.compile(dialect=_NAMED[dialect]))
    return text(written).bindparams(*(bindparam(name, type_=table.c[name].type) for name in columns))


def upsert_from(
    connection: Connection, table: Table, columns: Sequence[str], rows: Select[Any], update: Iterable[str]
) -> None:
    """As `upsert`, of the rows that a statement chooses, which has a condition."""
    statement = _insert(connection.dialect.name, table).from_select(list(columns), rows)
    changes = {name: statement.excluded[name] for name in update}
    key = [column.name for column in table.primary_key]
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changes))


def hold_writes(connection: Connection) -> None:
    """Let nobody else write between what a transaction reads from here on and what it writes. For SQLite, which locks
    no rows: its driver would begin the transaction with the first write."""
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection) and not driver.in_transaction:
        connection.execute(text("BEGIN IMMEDIATE"))


def _insert(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    return (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)


def in_parts(values: Iterable[T], size: int = 500) -> Iterator[list[T]]:
    """`values` in lists that are short enough for the variables of one statement."""
    remaining = iter(values)
    while part := list(islice(remaining, size)):
        yield part
