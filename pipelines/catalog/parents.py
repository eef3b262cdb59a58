"""What documents are in, as reads and listings told last: what is taken away above them is taken away from them.

Of each document and container only the nearest container is kept, so that a move is one row. A container need be no
document: a folder is none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, and_, exists, or_, select

from connectors.webhooks import is_storable
from pipelines.catalog import tables
from pipelines.catalog.conditions import IS_HIDDEN, unindexed
from pipelines.catalog.moved_documents import MOVED, may_have_points
from pipelines.catalog.outcomes import hide
from pipelines.catalog.revocations import EVERYBODY, Revocation, revoke, revoke_documents
from pipelines.catalog.statements import in_parts, upsert

AT_THE_TOP = ""
"""Stands for the container of what is in none."""

_GONE_ABOVE = "what it is in is gone at the source"
_NARROWED_ABOVE = "no longer among the readers of what it is in"
DELETED = "deleted at the source, as its event says"
_UNSEEN = (_GONE_ABOVE, MOVED, DELETED)
"""Why nobody sees a document at which its unit has not looked since."""


class Parents:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, connection: str, unit: str, paths: Mapping[str, Sequence[str]]) -> None:
        """The containers of documents, the outermost first, as a listing tells them."""
        with self._engine.begin() as transaction:
            record_parents(transaction, connection, unit, paths)

    def are_known(self, connection: str, unit: str) -> bool:
        """Whether it is known of all documents of a unit that may be found what they are in."""
        table, parents = tables.documents, tables.parents
        own = (table.c.connection == connection, table.c.unit == unit, table.c.status != "deleted", may_have_points())
        unknown = select(table.c.id).where(
            *own, ~exists().where(parents.c.connection == connection, parents.c.id == table.c.id)
        )
        with self._engine.connect() as transaction:
            return transaction.execute(unknown.limit(1)).first() is None

    def children(self, connection: str, container: str, most: int) -> list[str]:
        """What is directly in a container, by id; whether anybody may see it is not looked at."""
        table = tables.parents
        return self._ids(most, table.c.connection == connection, table.c.parent == container)

    def at_the_top(self, connection: str, unit: str, most: int) -> list[str]:
        """What of a unit is in no container of the same unit, by id."""
        table, above = tables.parents, tables.parents.alias()
        same = (above.c.connection == connection, above.c.id == table.c.parent, above.c.unit == unit)
        return self._ids(most, table.c.connection == connection, table.c.unit == unit, ~exists().where(*same))

    def _ids(self, most: int, *where: ColumnElement[bool]) -> list[str]:
        statement = select(tables.parents.c.id).where(*where).order_by(tables.parents.c.id).limit(most)
        with self._engine.connect() as transaction:
            return list(transaction.execute(statement).scalars())

    def hide_below(self, connection: str, unit: str, gone: Collection[str], seen: Collection[str] = ()) -> None:
        """Nobody finds what is in these from now on, as far as it is in the unit that they are gone from. It is kept,
        and looked at later (`doubtful`): it may have been taken elsewhere before. What was `seen` by who says so stays.
        """
        with self._engine.begin() as transaction:
            hide_below(transaction, connection, unit, gone, seen)

    def revoke_below(
        self, connection: str, unit: str, lost: Mapping[str, tuple[str, ...]], seen: Collection[str] = ()
    ) -> None:
        """What is in these containers has lost the same reader tokens as they, until it is looked at."""
        by_tokens: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for container, tokens in lost.items():
            by_tokens[tokens].append(container)
        with self._engine.begin() as transaction:
            revocations = [
                Revocation(connection, unit, token, _NARROWED_ABOVE, row.id)
                for tokens, containers in by_tokens.items()
                for row in _below(transaction, connection, unit, containers)
                for token in sorted({*(row.readers or ()), *(row.indexed_readers or ())}.intersection(tokens))
                if row.id not in seen
            ]
            revoke(transaction, revocations)

    def left_behind(self, connection: str, unit: str, containers: Collection[str]) -> list[str]:
        """Documents directly in these that are of other units: they are where those have come from."""
        table, parents, found = tables.documents, tables.parents, list[str]()
        inside = and_(parents.c.connection == table.c.connection, parents.c.id == table.c.id)
        others = (*_is_there(connection), table.c.unit != unit)
        with self._engine.connect() as transaction:
            for part in in_parts(containers):
                chosen = select(table.c.id).join(parents, inside).where(*others, parents.c.parent.in_(part))
                found += transaction.execute(chosen.order_by(table.c.id)).scalars()
        return found

    def doubtful(self, connection: str, unit: str) -> list[str]:
        """Documents that lost readers with what they are in, or all of them in another unit than they are in now, and
        were not looked at since."""
        with self._engine.connect() as transaction:
            return sorted({document for document, own in _doubtful(transaction, connection) if own == unit})

    def doubtful_units(self, connection: str) -> set[str]:
        """The units in which a document is `doubtful`."""
        with self._engine.connect() as transaction:
            return {unit for _, unit in _doubtful(transaction, connection)}


def hide_below(
    transaction: Connection, connection: str, unit: str, gone: Collection[str], seen: Collection[str] = ()
) -> None:
    """See `Parents.hide_below`."""
    table = tables.documents
    for part in in_parts(gone):
        new = (
            _is_below(connection, unit, part),
            table.c.hidden.is_distinct_from(_GONE_ABOVE),
            table.c.id.not_in(seen),
        )
        chosen = select(table.c.connection, table.c.unit, table.c.id).where(*new)
        hide(transaction, revoke_documents(transaction, chosen, _GONE_ABOVE), _GONE_ABOVE)


def _doubtful(transaction: Connection, connection: str) -> Iterator[tuple[str, str]]:
    """Document and unit of all that are, by way of what says so, which is little: a database may take it into its head
    to go over the documents instead."""
    table = tables.documents
    hidden = select(table.c.id, table.c.unit).where(*_is_there(connection), IS_HIDDEN, table.c.hidden.in_(_UNSEEN))
    for row in transaction.execute(hidden):
        yield row.id, row.unit
    revoked = tables.revocations
    in_force = (revoked.c.connection == connection, revoked.c.document != "", revoked.c.ends_at.is_(None))
    from_above = revoked.c.reason.in_((_GONE_ABOVE, _NARROWED_ABOVE))
    of_document = (table.c.id, table.c.unit, table.c.status)
    columns = (revoked.c.unit.label("taken_in"), from_above.label("from_above"), *of_document)
    joined = select(*columns).select_from(revoked).outerjoin(table, table.c.id == revoked.c.document)
    lost = joined.where(*in_force, or_(from_above, revoked.c.token == EVERYBODY))
    for row in transaction.execute(lost):
        if row.id and row.status != "deleted" and (row.from_above or row.taken_in != row.unit):
            yield row.id, row.unit


def _is_there(connection: str) -> tuple[ColumnElement[bool], ...]:
    return tables.documents.c.connection == connection, tables.documents.c.status != "deleted"


def record_parents(transaction: Connection, connection: str, unit: str, paths: Mapping[str, Sequence[str]]) -> None:
    """The containers of documents, the outermost first. What no database takes for an id is left out."""
    edges = (edge for document, path in paths.items() for edge in pairwise((AT_THE_TOP, *path, document)))
    parents = {own: above for above, own in edges if is_storable(above) and is_storable(own)}
    rows = [{"id": own, "connection": connection, "unit": unit, "parent": above} for own, above in parents.items()]
    upsert(transaction, tables.parents, rows, update=("unit", "parent"))


def _below(transaction: Connection, connection: str, unit: str, containers: Collection[str]) -> list[Row[Any]]:
    """The documents of a unit that are in one of these, at whatever depth."""
    table = tables.documents
    columns = (table.c.id, table.c.readers, table.c.indexed_readers)
    found: list[Row[Any]] = []
    for part in in_parts(containers):
        found += transaction.execute(select(*columns).where(_is_below(connection, unit, part))).all()
    return found


def _is_below(connection: str, unit: str, containers: Sequence[str]) -> ColumnElement[bool]:
    table = tables.documents
    inside = table.c.id.in_(_ids_below(connection, containers))
    own = and_(unindexed(table.c.connection) == connection, unindexed(table.c.unit) == unit)
    return and_(own, table.c.status != "deleted", inside)


def _ids_below(connection: str, containers: Sequence[str]) -> Select[tuple[str]]:
    """`UNION` leaves out what was found before, so that odd servers' circles come to an end."""
    table = tables.parents
    own = table.c.connection == connection
    below = select(table.c.id).where(own, table.c.parent.in_(containers)).cte("below", recursive=True)
    return select(below.union(select(table.c.id).join(below, table.c.parent == below.c.id).where(own)).c.id)
