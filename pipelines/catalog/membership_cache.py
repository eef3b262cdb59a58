"""What a connector keeps of each group, to ask its source only for what has changed since."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select

from connectors.model import group_token
from pipelines.catalog import tables
from pipelines.catalog.statements import upsert


class ConnectionCache:
    """Of one connection. See `connectors.contract.MembershipCache`: a group's is forgotten with the group."""

    def __init__(self, engine: Engine, connection: str) -> None:
        self._engine = engine
        self._connection = connection

    def get(self, group: str) -> dict[str, Any] | None:
        table = tables.membership_cache
        own = (table.c.connection == self._connection, table.c.group == group_token(self._connection, group))
        with self._engine.connect() as transaction:
            return transaction.execute(select(table.c.kept).where(*own)).scalar()

    def put(self, group: str, kept: dict[str, Any]) -> None:
        row = {"connection": self._connection, "group": group_token(self._connection, group), "kept": kept}
        with self._engine.begin() as transaction:
            upsert(transaction, tables.membership_cache, [row], update=("kept",))
