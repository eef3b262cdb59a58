"""What is landed of documents, as far as their sources can be asked whether it is what there is now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Engine, select

from connectors.contract import LandedContent
from pipelines.catalog import tables
from pipelines.catalog.statements import hold_writes, in_parts


class Contents:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, ids: Iterable[str]) -> dict[str, LandedContent]:
        """See `connectors.contract.FindLanded`. What failed since, or is hidden, is read whole."""
        with self._engine.connect() as transaction:
            return _landed(transaction, ids)


def find_mismatched(transaction: Connection, keys: Mapping[str, str]) -> set[str]:
    """Documents of which something else is landed than what is known by these keys; what the others have stays until
    the transaction ends."""
    if not keys:
        return set()
    hold_writes(transaction)
    landed = _landed(transaction, sorted(keys), stays=True)
    return {one for one, key in keys.items() if one not in landed or landed[one].content_key != key}


def _landed(transaction: Connection, ids: Iterable[str], *, stays: bool = False) -> dict[str, LandedContent]:
    table, found = tables.documents, dict[str, LandedContent]()
    for part in in_parts(ids):
        own = (table.c.id.in_(part), table.c.content_key.is_not(None), table.c.version.is_not(None))
        well = (table.c.status.in_(("pending", "indexed")), table.c.readers.is_not(None), table.c.hidden.is_(None))
        chosen = select(table.c.id, table.c.content_key, table.c.readers).where(*own, *well).order_by(table.c.id)
        for row in transaction.execute(chosen.with_for_update() if stays else chosen):
            found[row.id] = LandedContent(row.content_key, row.readers)
    return found
