"""What a person has granted: to a client, which may then search as that person, or to the search page.

A grant is one row, however often its tokens are renewed. All its tokens begin with the same handle, and the row holds
the hashes of those that count now: whoever shows another secret with the same handle shows one that was used before,
and then nobody can tell the client from a thief, so that the grant ends (RFC 9700, section 4.14.2). Handles and
secrets are random, so plain SHA-256 is enough: see `pipelines.catalog.assistants`.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, Engine, Row, delete, insert, select, update

from pipelines.catalog import tables
from pipelines.catalog.assistants import KEY_PREFIX, hash_key

Stage: TypeAlias = Literal["code", "refresh", "session"]
Request: TypeAlias = Mapping[str, Any]

CODE_SECONDS = 60
"""How long a code can be redeemed; OAuth 2.1 has ten minutes at most."""
_BYTES = 32
_TABLE = tables.grants


@dataclass(frozen=True, slots=True)
class Grant:
    """`client` is empty for the search page. `request` is what the client asked for."""

    id: str
    client: str
    client_name: str
    person: str
    stage: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    request: Request | None = None


@dataclass(frozen=True, slots=True)
class TokenPair:
    access: str
    refresh: str


class Replayed(Exception):
    """A code or refresh token was shown that had been used before; its grant has ended."""

    def __init__(self, grant: Grant) -> None:
        self.grant = grant
        super().__init__(f"a token of {grant.client_name!r} was used twice")


class Grants:
    """Times are the caller's, so that tests need not wait."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(
        self,
        person: str,
        stage: Stage,
        *,
        client: str = "",
        client_name: str = "search page",
        request: Request | None = None,
        now: datetime,
        expires_at: datetime,
    ) -> str:
        """A new grant; returns its first code, or the secret of its session. Grants that have expired go."""
        handle, secret = secrets.token_urlsafe(_BYTES // 2), secrets.token_urlsafe(_BYTES)
        row = {
            "id": _id(handle),
            "client": client,
            "client_name": client_name,
            "person": person,
            "stage": stage,
            "secret_hash": hash_key(secret),
            "request": dict(request) if request is not None else None,
            "created_at": now,
            "used_at": now,
            "expires_at": expires_at,
        }
        with self._engine.begin() as transaction:
            transaction.execute(delete(_TABLE).where(_TABLE.c.expires_at <= now))
            transaction.execute(insert(_TABLE).values(row))
        return _token(stage, handle, secret)

    def find(self, token: str, stage: Stage, now: datetime) -> Grant | None:
        """The grant whose code, refresh token or session this is. Raises Replayed, and ends the grant, for a code or
        refresh token that was used before."""
        handle, secret = _parse(token, stage)
        with self._engine.begin() as transaction:
            row = _live(transaction, _id(handle), now)
            if row is None:
                return None
            if row.stage == stage and compare_digest(row.secret_hash, hash_key(secret)):
                return _grant(row)
            if stage == "session":
                return None
            _end(transaction, _TABLE.c.id == row.id)
        raise Replayed(_grant(row))

    def find_access(self, token: str, now: datetime) -> Grant | None:
        """The grant whose access token this is; None once the token has ended, or was renewed."""
        handle, secret = _parse(token, "access")
        with self._engine.connect() as transaction:
            row = _live(transaction, _id(handle), now)
        if row is None or row.access_hash is None or row.access_until <= now:
            return None
        return _grant(row) if compare_digest(row.access_hash, hash_key(secret)) else None

    def renew(
        self, token: str, stage: Stage, now: datetime, access: timedelta, expires_at: datetime | None = None
    ) -> TokenPair | None:
        """Redeem a code or refresh token, once: of two at the same time one gets the pair, and the other ends the
        grant. `expires_at` sets the end of the grant, which renewing alone never moves. None for one that has ended;
        raises Replayed."""
        handle, secret = _parse(token, stage)
        new_access, new_refresh = secrets.token_urlsafe(_BYTES), secrets.token_urlsafe(_BYTES)
        values = {
            "stage": "refresh",
            "secret_hash": hash_key(new_refresh),
            "access_hash": hash_key(new_access),
            "access_until": now + access,
            "used_at": now,
            **({"expires_at": expires_at} if expires_at else {}),
        }
        same = (_TABLE.c.id == _id(handle), _TABLE.c.stage == stage, _TABLE.c.secret_hash == hash_key(secret))
        with self._engine.begin() as transaction:
            renewed = transaction.execute(update(_TABLE).where(*same, _TABLE.c.expires_at > now).values(values))
        if not renewed.rowcount:
            self.find(token, stage, now)
            return None
        return TokenPair(_token("access", handle, new_access), _token("refresh", handle, new_refresh))

    def revoke_token(self, token: str, client: str) -> Grant | None:
        """End the grant of any token of a client's (RFC 7009). None where it is none of theirs."""
        handle = token.removeprefix(KEY_PREFIX).partition("_")[2].partition(".")[0]
        found = self._remove(_TABLE.c.id == _id(handle), _TABLE.c.client == client)
        return found[0] if found else None

    def revoke(self, grant_id: str) -> list[Grant]:
        """End one grant; returns what has ended."""
        return self._remove(_TABLE.c.id == grant_id)

    def revoke_all(self, person: str) -> list[Grant]:
        """End all grants of a person; returns what has ended."""
        return self._remove(_TABLE.c.person == person)

    def all(self, now: datetime) -> list[Grant]:
        """Those in force, oldest first; a code that nobody has redeemed yet is none."""
        statement = (
            select(_TABLE)
            .where(_TABLE.c.expires_at > now, _TABLE.c.stage != "code")
            .order_by(_TABLE.c.created_at, _TABLE.c.id)
        )
        with self._engine.connect() as transaction:
            return [_grant(row) for row in transaction.execute(statement)]

    def _remove(self, *conditions: ColumnElement[bool]) -> list[Grant]:
        with self._engine.begin() as transaction:
            found = [_grant(row) for row in transaction.execute(select(_TABLE).where(*conditions))]
            _end(transaction, *conditions)
        return found


def _live(transaction: Connection, grant_id: str, now: datetime) -> Row[Any] | None:
    return transaction.execute(select(_TABLE).where(_TABLE.c.id == grant_id, _TABLE.c.expires_at > now)).first()


def _end(transaction: Connection, *conditions: ColumnElement[bool]) -> None:
    transaction.execute(delete(_TABLE).where(*conditions))


def _id(handle: str) -> str:
    """Short enough to be typed: it is no secret, and 80 bits do not meet by chance."""
    return hash_key(handle)[:20]


def _token(kind: str, handle: str, secret: str) -> str:
    return f"{KEY_PREFIX}{kind}_{handle}.{secret}"


def _parse(token: str, kind: str) -> tuple[str, str]:
    """Handle and secret of a token; both empty for one of another kind."""
    prefix = f"{KEY_PREFIX}{kind}_"
    handle, _, secret = token.removeprefix(prefix).partition(".") if token.startswith(prefix) else ("", "", "")
    return handle, secret


def _grant(row: Row[Any]) -> Grant:
    names = ("id", "client", "client_name", "person", "stage", "created_at", "used_at", "expires_at", "request")
    return Grant(**{name: row._mapping[name] for name in names})
