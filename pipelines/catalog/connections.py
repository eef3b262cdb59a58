"""The state of a connection as a whole: whether it is paused, and when its last event came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, select

from pipelines.catalog import tables
from pipelines.catalog.stamps import raise_stamp
from pipelines.catalog.statements import upsert


@dataclass(frozen=True, slots=True)
class ConnectionState:
    paused: bool = False
    memberships_at: datetime | None = None
    last_event: datetime | None = None
    listed_at: datetime | None = None
    listing_requests: int | None = None


class Connections:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, connection: str) -> ConnectionState:
        table = tables.connections
        statement = select(*(table.c[name] for name in ConnectionState.__slots__))
        with self._engine.connect() as transaction:
            row = transaction.execute(statement.where(table.c.connection == connection)).first()
        return ConnectionState(*row) if row else ConnectionState()

    def paused(self) -> set[str]:
        """Ids of the connections that are paused."""
        table = tables.connections
        with self._engine.connect() as transaction:
            return set(transaction.execute(select(table.c.connection).where(table.c.paused)).scalars())

    def pause(self, connection: str, paused: bool) -> None:
        self._set(connection, paused=paused)

    def record_memberships_read(self, connection: str) -> None:
        self._set(connection, memberships_at=datetime.now(UTC))

    def unit_patterns(self, connection: str) -> str | None:
        """The patterns of the settings under which units were listed; None where none were yet."""
        table = tables.connections
        with self._engine.connect() as transaction:
            return transaction.execute(select(table.c.unit_patterns).where(table.c.connection == connection)).scalar()

    def record_listing(
        self, connection: str, unit_patterns: str, listed_at: datetime | None = None, requests: int | None = None
    ) -> None:
        """Units were listed under these patterns of the settings: those that are listed are what they include.

        The listing began at `listed_at`, None if it has left something out, and took so many requests.
        """
        listed = {"unit_patterns": unit_patterns, "listed_at": listed_at, "listing_requests": requests}
        is_other = self.unit_patterns(connection) != unit_patterns
        with self._engine.begin() as transaction:
            row = {"connection": connection, "paused": False, **listed}
            upsert(transaction, tables.connections, [row], update=tuple(listed))
            if is_other:
                raise_stamp(transaction)

    def channels(self, connection: str) -> dict[str, Any]:
        """The stored state of the push channels that the provider has opened for the connection."""
        statement = select(tables.connections.c.channels).where(tables.connections.c.connection == connection)
        with self._engine.connect() as transaction:
            return dict(transaction.execute(statement).scalar() or {})

    def save_channels(self, connection: str, channels: dict[str, Any]) -> None:
        self._set(connection, channels=channels)

    def _set(self, connection: str, **values: Any) -> None:
        row = {"connection": connection, "paused": False} | values
        with self._engine.begin() as transaction:
            upsert(transaction, tables.connections, [row], update=values)
