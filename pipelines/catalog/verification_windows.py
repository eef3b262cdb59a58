"""Windows in which the secret that a provider offers for its webhooks is taken, as an operator opened them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Engine, delete, or_, select, update

from pipelines.catalog import tables
from pipelines.catalog.statements import upsert

OPEN_FOR = timedelta(minutes=10)


class VerificationWindows:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open(self, connection: str) -> datetime:
        """From now on the first secret that is offered is taken; returns the time when that ends."""
        ends_at = datetime.now(UTC) + OPEN_FOR
        row = {"connection": connection, "ends_at": ends_at, "secret": None}
        with self._engine.begin() as transaction:
            upsert(transaction, tables.verification_windows, [row], update=("ends_at", "secret"))
        return ends_at

    def offer(self, connection: str, secret: str) -> bool:
        """Take a secret if a window is open and it is the first; True for that one when it comes again, too."""
        table = tables.verification_windows
        takes_it = (*_is_open(connection), or_(table.c.secret.is_(None), table.c.secret == secret))
        with self._engine.connect() as reading:  # a flood of them writes nothing
            if not reading.execute(select(table.c.connection).where(*takes_it)).first():
                return False
        with self._engine.begin() as transaction:
            return bool(transaction.execute(update(table).where(*takes_it).values(secret=secret)).rowcount)

    def offered(self, connection: str) -> str | None:
        """The secret that was taken; None as long as there is none."""
        statement = select(tables.verification_windows.c.secret).where(*_is_open(connection))
        with self._engine.connect() as transaction:
            return transaction.execute(statement).scalar()

    def close(self, connection: str) -> None:
        """Nothing is taken from now on, and what was taken is no longer kept."""
        table = tables.verification_windows
        with self._engine.begin() as transaction:
            transaction.execute(delete(table).where(table.c.connection == connection))


def _is_open(connection: str) -> tuple[ColumnElement[bool], ...]:
    table = tables.verification_windows
    return table.c.connection == connection, table.c.ends_at > datetime.now(UTC)
