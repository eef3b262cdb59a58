"""Deletions that an event tells: they count from the moment that it is stored, before its source is asked.

So no read that the event leads to began before them, and each one that finds an object gives it back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from connectors.contract import holder_of, in_unit, is_in_any_unit
from connectors.webhooks import Invalidation
from pipelines.catalog import tables
from pipelines.catalog.conditions import unindexed
from pipelines.catalog.outcomes import hide
from pipelines.catalog.parents import DELETED, hide_below
from pipelines.catalog.revocations import revoke_documents
from pipelines.catalog.statements import in_parts


def hide_deleted(transaction: Connection, connection: str, invalidations: Iterable[Invalidation]) -> None:
    """Nobody finds the documents of a connection that are told to be deleted, nor what is in those told with all
    below."""
    told = list(dict.fromkeys(one.document_id for one in invalidations if one.deleted))
    holders = [holder for one in told if (holder := holder_of(one))]
    alone = [own for one in told if not holder_of(one) for own in _ids(transaction, connection, one)]
    table = tables.documents
    of_document = select(table.c.connection, table.c.unit, table.c.id)
    there = (unindexed(table.c.connection) == connection, table.c.status != "deleted")
    for part in in_parts(alone):
        chosen = of_document.where(*there, table.c.id.in_(part))
        hide(transaction, revoke_documents(transaction, chosen, DELETED), DELETED)
    for unit, own in _by_unit(transaction, connection, holders).items():
        hide_below(transaction, connection, unit, own)


def _ids(transaction: Connection, connection: str, told: str) -> list[str]:
    """Of an object in any unit, its id in each."""
    if not is_in_any_unit(told):
        return [told]
    table = tables.units
    units = transaction.execute(select(table.c.unit).where(table.c.connection == connection)).scalars()
    return [in_unit(told, unit) for unit in units]


def _by_unit(transaction: Connection, connection: str, ids: Sequence[str]) -> dict[str, list[str]]:
    table, found = tables.documents, defaultdict[str, list[str]](list)
    for part in in_parts(ids):
        own = (unindexed(table.c.connection) == connection, table.c.id.in_(part))
        for row in transaction.execute(select(table.c.unit, table.c.id).where(*own)):
            found[row.unit].append(row.id)
    return found
