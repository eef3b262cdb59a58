"""What a connector keeps of each group, to ask its source only for what has changed since."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, and_, select

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

    def all(self) -> dict[str, dict[str, Any] | None]:
        table, groups = tables.membership_cache, tables.groups
        same = and_(groups.c.connection == table.c.connection, groups.c.group == table.c.group)
        known = select(groups.c.group, table.c.kept).select_from(groups).outerjoin(table, same)
        own = known.where(groups.c.connection == self._connection)
        prefix = group_token(self._connection, "")
        with self._engine.connect() as transaction:
            return {row.group.removeprefix(prefix): row.kept for row in transaction.execute(own)}

    def put(self, group: str, kept: dict[str, Any]) -> None:
        row = {"connection": self._connection, "group": group_token(self._connection, group), "kept": kept}
        with self._engine.begin() as transaction:
            upsert(transaction, tables.membership_cache, [row], update=("kept",))
