"""What rights that are read without contents take away from documents."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from pipelines.catalog import tables
from pipelines.catalog.outcomes import Readers, hide, update_readers
from pipelines.catalog.revocations import EVERYBODY, Revocation, are_revoked, grant_documents, revoke
from pipelines.catalog.stamps import raise_stamp
from pipelines.catalog.statements import in_parts

_NARROWED = "no longer among its readers at the source"


@dataclass(frozen=True, slots=True)
class RightsUpdate:
    """Readers of documents by a reading of rights that began at `read_since`, and why others are hidden.

    A document keeps those of its readers that are told. What it has gained waits for a read of its content: of what
    stands there now people may be readers who never were of the text that is kept.
    """

    read_since: datetime = field(default_factory=lambda: datetime.now(UTC))
    readers: dict[str, Readers] = field(default_factory=dict)
    hidden: dict[str, str] = field(default_factory=dict)
    overtaken: set[str] = field(default_factory=set)
    """Once it is written: documents of which something was taken away since the reading began. They are to be told
    again."""

    def __len__(self) -> int:
        return len(self.readers) + len(self.hidden)

    def write(self, transaction: Connection, connection: str, unit: str) -> None:
        """Documents that the catalog does not know, or knows to be gone, are left out."""
        self._narrow(transaction, connection, unit)
        known = {row.id: self.hidden[row.id] for row in _known(transaction, self.hidden)}
        for reason in dict.fromkeys(known.values()):
            hide(transaction, [one for one, why in known.items() if why == reason], reason)
        revoke(transaction, [Revocation(connection, unit, EVERYBODY, why, one) for one, why in known.items()])

    def _narrow(self, transaction: Connection, connection: str, unit: str) -> None:
        rows = _known(transaction, self.readers)
        had = {row.id: Readers(row.readers or (), row.readers_until or {}) for row in rows}
        left = {document: self.readers[document].within(before) for document, before in had.items()}
        changed = {row.id: left[row.id] for row in rows if row.hidden is not None or left[row.id] != had[row.id]}
        update_readers(transaction, changed)
        if any(one.until or had[document].until for document, one in changed.items()) or are_revoked(
            transaction, changed
        ):
            raise_stamp(transaction)
        shown = {row.id: self.readers[row.id].tokens for row in rows}
        self.overtaken.update(grant_documents(transaction, shown, self.read_since))
        lost = {row.id: {*(row.readers or ()), *(row.indexed_readers or ())} for row in rows}
        revoke(
            transaction,
            [
                Revocation(connection, unit, token, _NARROWED, document)
                for document, tokens in lost.items()
                for token in sorted(tokens.difference(self.readers[document].tokens))
            ],
        )


def revoke_lost(
    transaction: Connection, connection: str, unit: str, document: str, had: Collection[str], readers: Collection[str]
) -> bool:
    """A document is no longer for others than `readers`; whether anybody has lost it. Whom it has gained waits for a
    read. `had` are those of a state that may be being read now."""
    rows = _known(transaction, [document])
    known = [token for row in rows for token in (*(row.readers or ()), *(row.indexed_readers or ()))]
    lost = sorted({*had, *known}.difference(readers))
    revoke(transaction, [Revocation(connection, unit, token, _NARROWED, document) for token in lost])
    return bool(lost)


def _known(transaction: Connection, ids: Iterable[str]) -> list[Row[Any]]:
    table = tables.documents
    columns = (table.c.id, table.c.readers, table.c.readers_until, table.c.indexed_readers, table.c.hidden)
    found: list[Row[Any]] = []
    for part in in_parts(ids):
        statement = select(*columns).where(table.c.id.in_(part), table.c.status != "deleted")
        found.extend(transaction.execute(statement))
    return found
