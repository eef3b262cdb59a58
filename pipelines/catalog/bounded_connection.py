"""A connection to PostgreSQL that waits for no answer longer than it was told to.

A server that is stopped, and a machine or way that is lost, refuse nothing: they are silent, and libpq waits for ever.
The operating system finds out about a lost machine (`LOST_MACHINE`), and about a silent server this class. A
`statement_timeout` is the server's own and counts for nothing while it hangs; poolers such as PgBouncer refuse it.
"""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, event

R = TypeVar("R")

LOST_MACHINE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS; seconds, the last milliseconds."""


class BoundedConnection(psycopg.Connection[Any]):
    """Raises OperationalError where an answer does not come within `seconds`, and is closed from then on."""

    seconds: float

    def wait(self, gen: PQGen[R], interval: float = 0.1, timeout: float | None = None) -> R:
        try:
            return super().wait(gen, interval, timeout or self.seconds)
        except psycopg.OperationalError:
            if timeout is None and self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()  # an answer that came late would be taken for that to the next statement
                raise psycopg.OperationalError(f"no answer within {self.seconds:g} seconds") from None
            raise


def bound_answers(engine: Engine, seconds: float) -> None:
    """Let no connection of an engine wait longer than this for the answer to one statement."""
    event.listen(engine, "do_connect", partial(_connect, seconds))


def _connect(seconds: float, _dialect: Any, _record: Any, arguments: Any, options: Any) -> BoundedConnection:
    connection = BoundedConnection.connect(*arguments, **options)
    connection.seconds = seconds
    return connection
