"""Whether the server of a catalog's database takes connections, and waiting until it does."""

from __future__ import annotations

import logging
import math
import time

from sqlalchemy.engine import make_url

logger = logging.getLogger(__name__)

_SECONDS_TO_ANSWER = 5
_SECONDS_BETWEEN_LOOKS = 1.0


def is_away(url: str) -> bool:
    """Whether the server does not answer, or is only just starting or shutting down; never so of SQLite.

    One that refuses a password, or has no such database, does answer: no wait helps that. What it is of both, libpq
    knows (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PQPING).
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return False
    from psycopg.pq import PGconn, Ping

    asked = address.set(drivername="postgresql").update_query_dict({"connect_timeout": str(_SECONDS_TO_ANSWER)})
    answer = PGconn.ping(asked.render_as_string(hide_password=False).encode())
    return answer in (Ping.REJECT, Ping.NO_RESPONSE)


def await_database(url: str, patience: float = math.inf) -> None:
    """Wait while the server is away, for `patience` seconds at most; a line in the log says so."""
    deadline, said = time.monotonic() + patience, False
    while time.monotonic() < deadline and is_away(url):
        if not said:
            place = make_url(url)
            logger.warning("waiting: the database at %s:%s does not answer", place.host, place.port or 5432)
            said = True
        time.sleep(_SECONDS_BETWEEN_LOOKS)
