"""Conditions that few rows meet and that are asked for often, each with an index of the rows that meet it.

What an event, a sync or a probe asks takes as long as its answer is, then, however many documents there are. A database
uses such an index only for statements in which its condition is written out, as it is here: values that are sent beside
the statement say nothing to its planner (https://sqlite.org/partialindex.html,
https://www.postgresql.org/docs/current/indexes-partial.html).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, Boolean, Column, ColumnElement, Index, and_, case, func, literal, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from pipelines.catalog.tables import TokenSet, documents, events, loads, metadata, obsolete_rows

__all__ = ["metadata"]


def written(value: Any, type_: Any = None) -> BindParameter[Any]:
    """A value that stands in the statement itself."""
    return literal(value, type_, literal_execute=True)


def unindexed(column: Column[str]) -> ColumnElement[str]:
    """A column that is compared in rows that were found by something else. SQLite knows nothing of how many rows there
    are of a unit, and would go over them rather than look up some dozen ids."""
    return func.coalesce(column, written(""))


class is_present(FunctionElement[bool]):
    """Whether a column that may be long has a value. SQLite reads the value to find that out, and its type without."""

    type = Boolean()
    inherit_cache = True


@compiles(is_present)
def _say_present(element: is_present, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} IS NOT NULL)"


@compiles(is_present, "sqlite")
def _say_present_in_sqlite(element: is_present, compiler: SQLCompiler, **options: Any) -> str:
    return f"(typeof({compiler.process(element.clauses, **options)}) != 'null')"


WITHOUT_VERSION = ("deleted", "skipped")
"""Of a document with such a status no version is kept, and nothing is to be found."""
HAS_NO_VERSION = or_(*(documents.c.status == written(status) for status in WITHOUT_VERSION))

OWN_READERS: ColumnElement[Any] = case(
    (documents.c.hidden.is_not(None), written((), TokenSet)), else_=documents.c.readers
)
"""Who may see a document of a unit that is within reach: nobody where it is hidden; null where that was never told."""

SHOWS_READERS = or_(documents.c.indexed_readers.is_(None), documents.c.indexed_readers != written((), TokenSet))
"""Points of a document name readers, or nobody knows whether they do."""

HAS_POINTS = documents.c.chunks > written(0)

IS_CLOSED = documents.c.indexed_readers == written((), TokenSet)
"""Points of a document, if there are any, name no readers: they are found by nobody."""

IS_BEHIND = and_(
    HAS_POINTS,
    or_(
        HAS_NO_VERSION,
        and_(documents.c.hidden.is_not(None), SHOWS_READERS),
        and_(
            documents.c.hidden.is_(None),
            documents.c.readers.is_not(None),
            documents.c.readers.is_distinct_from(documents.c.indexed_readers),
        ),
    ),
)
"""The index is behind with what the catalog knows of a document of a unit that is within reach."""

HAS_FAILED = documents.c.status == written("failed")
HAS_NEXT_ATTEMPT = documents.c.next_attempt.is_not(None)
IS_HIDDEN = documents.c.hidden.is_not(None)
HAS_ENDING_READERS = documents.c.readers_until.is_not(None)
HAS_DELETED_TITLE = and_(documents.c.status == written("deleted"), documents.c.title != written(""))
IS_UNSEEN = obsolete_rows.c.document == written("")
IS_PENDING = events.c.state == written("pending")
IS_HELD = loads.c.state == written("held")
"""What is left of a load waits for the connection's budget."""

FULL_ROWS, FULL_BYTES = 1_000, 8_000_000
"""From there on a load is as large as what a read of many documents lands."""
IS_SMALL = and_(
    loads.c.state == written("indexed"),
    loads.c.documents < written(FULL_ROWS),
    or_(loads.c.bytes.is_(None), loads.c.bytes < written(FULL_BYTES)),
)
"""A load that was worked off may be united with others."""


def _index(
    name: str, condition: ColumnElement[bool], *columns: Column[Any], sqlite_also: tuple[Column[Any], ...] = ()
) -> None:
    Index(name, *columns, postgresql_where=condition).ddl_if("postgresql")
    Index(name, *columns, *sqlite_also, sqlite_where=condition).ddl_if("sqlite")


_unit = (documents.c.connection, documents.c.unit)
# By id as well: of two indexes that say the same, SQLite takes the one that spares it to sort. PostgreSQL takes no row
# of more than 2,704 bytes, which a long id may fill alone.
_id = (documents.c.id,)
_index("documents_behind", IS_BEHIND, *_unit, sqlite_also=_id)
_index("documents_closed", IS_CLOSED, documents.c.indexed_readers, sqlite_also=_id)
# With all that is asked of many rows at a time, so that these need not be read.
_index(
    "documents_indexed",
    HAS_POINTS,
    documents.c.connection,
    documents.c.unit,
    documents.c.chunks,
    documents.c.updated_at,
    documents.c.changed_at,
)
_index("documents_failed", HAS_FAILED, *_unit, sqlite_also=_id)
_index("documents_to_try", HAS_NEXT_ATTEMPT, *_unit, sqlite_also=_id)
_index("documents_hidden", IS_HIDDEN, *_unit, sqlite_also=_id)
_index("documents_ending", HAS_ENDING_READERS, *_unit, sqlite_also=_id)
_index("documents_with_old_title", HAS_DELETED_TITLE, documents.c.changed_at)
_index("loads_held", IS_HELD, loads.c.connection, loads.c.unit)
_index(
    "loads_small",
    IS_SMALL,
    loads.c.connection,
    loads.c.unit,
    sqlite_also=(loads.c.state, loads.c.documents, loads.c.bytes),  # or it would read the rows to make sure
)
_index("obsolete_rows_unseen", IS_UNSEEN, obsolete_rows.c.load)
_index("events_pending", IS_PENDING, events.c.connection, events.c.id)
_index("events_waiting", IS_PENDING, events.c.connection, events.c.next_attempt)
_index("events_finished", events.c.finished_at.is_not(None), events.c.finished_at)
