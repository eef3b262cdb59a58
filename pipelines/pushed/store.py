"""What was pushed to a connection, as its connector reads it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from connectors.errors import NotFound
from connectors.pushed_documents import RemovedDocument, StoredDocument
from pipelines.catalog.pushed_documents import PushedDocuments
from pipelines.landing.pushed_bodies import PushedBodies


class ConnectionStore:
    """See `connectors.pushed_documents.DocumentStore`. What it raises beside is trouble of catalog or landing, which is
    waited for as anywhere."""

    def __init__(self, connection: str, rows: PushedDocuments, bodies: PushedBodies) -> None:
        self.requests = 0
        self._connection = connection
        self._rows = rows
        self._bodies = bodies

    def units(self) -> Sequence[str]:
        self.requests += 1
        return self._rows.units(self._connection)

    def changes(self, unit: str, after: int, limit: int) -> Sequence[StoredDocument | RemovedDocument]:
        self.requests += 1
        return self._rows.changes(self._connection, unit, after, limit)

    def find(self, names: Collection[str]) -> Mapping[str, StoredDocument | RemovedDocument]:
        self.requests += 1
        return self._rows.find(self._connection, names)

    def read(self, document: StoredDocument) -> bytes:
        self.requests += 1
        try:
            return self._bodies.read(document.body)
        except FileNotFoundError:
            raise NotFound(f"the content of {document.name} ({document.body} in the landing); push it again") from None
