"""OAuth clients that registered themselves (RFC 7591). Anybody may, so their number is bounded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from pipelines.catalog import tables

MOST_UNUSED = 1_000
"""Of clients through which nobody has signed in yet: the oldest go first, and new ones wait where none may go."""
KEPT_HOURS = 1
"""For which an unused client stays whoever registers after it: its person may be signing in just now."""
UNUSED_DAYS = 90
"""After which a client goes through which nobody signs in any more."""
_TABLE = tables.oauth_clients


@dataclass(frozen=True, slots=True)
class OAuthClient:
    id: str
    name: str
    redirect_uris: tuple[str, ...]


class TooManyClients(Exception):
    """So many clients registered within the last hour that there is no room for one more."""


class OAuthClients:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, client: OAuthClient, now: datetime) -> None:
        """Those that are no longer used, or too many that never were, go. Raises TooManyClients."""
        row = {"id": client.id, "name": client.name, "redirect_uris": list(client.redirect_uris), "created_at": now}
        with self._engine.begin() as transaction:
            _tidy(transaction, now)
            unused = select(func.count()).select_from(_TABLE).where(_TABLE.c.used_at.is_(None))
            if transaction.execute(unused).scalar_one() >= MOST_UNUSED:
                raise TooManyClients
            transaction.execute(insert(_TABLE).values(row))

    def get(self, client_id: str) -> OAuthClient | None:
        with self._engine.connect() as transaction:
            row = transaction.execute(select(_TABLE).where(_TABLE.c.id == client_id)).first()
        return OAuthClient(row.id, row.name, tuple(row.redirect_uris)) if row else None

    def mark_used(self, client_id: str, now: datetime) -> None:
        with self._engine.begin() as transaction:
            transaction.execute(update(_TABLE).where(_TABLE.c.id == client_id).values(used_at=now))


def _tidy(transaction: Connection, now: datetime) -> None:
    """Makes room for one."""
    last_use = func.coalesce(_TABLE.c.used_at, _TABLE.c.created_at)
    transaction.execute(delete(_TABLE).where(last_use < now - timedelta(days=UNUSED_DAYS)))
    newest = select(_TABLE.c.id).where(_TABLE.c.used_at.is_(None)).order_by(_TABLE.c.created_at.desc(), _TABLE.c.id)
    may_go = _TABLE.c.used_at.is_(None) & (_TABLE.c.created_at < now - timedelta(hours=KEPT_HOURS))
    transaction.execute(delete(_TABLE).where(may_go, _TABLE.c.id.in_(newest.offset(MOST_UNUSED - 1))))
