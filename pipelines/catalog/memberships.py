"""Who belongs to which group, so that a join or leave changes no vectors."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Engine, delete, select

from connectors.contract import Membership
from connectors.model import group_token
from pipelines.catalog import tables
from pipelines.catalog.statements import upsert


class Memberships:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def replace(self, connection: str, memberships: Iterable[Membership]) -> int:
        """Make these all memberships of a connection, at once; returns how many there are."""
        pairs = {(group_token(connection, one.group), one.email.strip().lower()) for one in memberships}
        rows = [{"connection": connection, "group": group, "email": email} for group, email in sorted(pairs)]
        with self._engine.begin() as transaction:
            transaction.execute(delete(tables.memberships).where(tables.memberships.c.connection == connection))
            upsert(transaction, tables.memberships, rows)
        return len(rows)

    def groups_of(self, email: str) -> frozenset[str]:
        """Reader tokens of the groups that a person belongs to."""
        table = tables.memberships
        statement = select(table.c.group).where(table.c.email == email.strip().lower())
        with self._engine.connect() as transaction:
            return frozenset(transaction.execute(statement).scalars())
