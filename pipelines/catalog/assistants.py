"""Assistants made by command. A key is known to its owner alone; the catalog holds its hash.

Keys are 256 random bits. Nobody can try them all, so a plain SHA-256 is enough: a slow hash, made for what people
choose and remember, would add its time to every request and nothing to the safety.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Engine, select, update

from pipelines.audit import audit
from pipelines.catalog import tables
from pipelines.catalog.statements import upsert
from pipelines.errors import UsageError

KEY_PREFIX = "headrace_"
"""Of keys and tokens, so that scanners for secrets can tell one."""
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class StoredAssistant:
    """An assistant as the catalog knows it. `sources` and `parents_in` are its scope; empty: everything.

    With the identity `person` its key is that of one person, whose address is `person`.
    """

    id: str
    identity: str
    readers: tuple[str, ...]
    sources: tuple[str, ...]
    parents_in: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None
    person: str | None = None
    last_used_at: datetime | None = None


def new_key() -> str:
    return KEY_PREFIX + secrets.token_urlsafe(_KEY_BYTES)


def hash_key(key: str) -> str:
    """SHA-256 of a key, in hexadecimal."""
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()


class Assistants:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, added: StoredAssistant, key: str) -> None:
        """Raises UsageError for an id that is in use; a revoked one may come back, with its new key."""
        row = {
            "id": added.id,
            "key_hash": hash_key(key),
            "identity": added.identity,
            "readers": list(added.readers),
            "scope": {"sources": list(added.sources), "parents_in": list(added.parents_in)},
            "created_at": added.created_at,
            "revoked_at": added.revoked_at,
            "person": added.person,
            "last_used_at": None,
        }
        table = tables.assistants
        with self._engine.begin() as transaction:
            in_use = select(table.c.id).where(table.c.id == added.id, table.c.revoked_at.is_(None))
            if transaction.execute(in_use).first():
                raise UsageError(f"there is an assistant {added.id!r}; revoke it first, or choose another id")
            upsert(transaction, table, [row], update=[name for name in row if name != "id"])
        audit("key_added", assistant=added.id, identity=added.identity, person=added.person, readers=added.readers)

    def revoke(self, assistant_id: str) -> datetime:
        """The key is worth nothing from now on. Raises UsageError if no such assistant is in use."""
        table, now = tables.assistants, datetime.now(UTC)
        statement = update(table).where(table.c.id == assistant_id, table.c.revoked_at.is_(None)).values(revoked_at=now)
        with self._engine.begin() as transaction:
            if not transaction.execute(statement).rowcount:
                raise UsageError(f"no assistant {assistant_id!r} is in use; `headrace assistants list` names them")
        audit("key_revoked", assistant=assistant_id)
        return now

    def record_use(self, assistant_id: str) -> None:
        """Its key is used now."""
        table = tables.assistants
        with self._engine.begin() as transaction:
            transaction.execute(update(table).where(table.c.id == assistant_id).values(last_used_at=datetime.now(UTC)))

    def all(self) -> list[StoredAssistant]:
        """Revoked ones too, oldest first."""
        return [assistant for _, assistant in self._read()]

    def active(self) -> list[tuple[str, StoredAssistant]]:
        """Those that may ask, each behind the hash of its key."""
        return self._read(tables.assistants.c.revoked_at.is_(None))

    def _read(self, *conditions: ColumnElement[bool]) -> list[tuple[str, StoredAssistant]]:
        table = tables.assistants
        statement = select(table).where(*conditions).order_by(table.c.created_at, table.c.id)
        with self._engine.connect() as transaction:
            rows = transaction.execute(statement).all()
        return [
            (
                row.key_hash,
                StoredAssistant(
                    row.id,
                    row.identity,
                    tuple(row.readers),
                    tuple(row.scope["sources"]),
                    tuple(row.scope["parents_in"]),
                    row.created_at,
                    row.revoked_at,
                    row.person,
                    row.last_used_at,
                ),
            )
            for row in rows
        ]
