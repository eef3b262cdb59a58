"""Takes documents that are pushed: kept in the landing and told in the catalog before anybody is answered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connectors.contract import id_prefix
from connectors.pushed_documents import PushedDocument, PushedFile, StoredDocument
from connectors.registry import accept
from connectors.settings import Connection
from pipelines.catalog import Catalog
from pipelines.catalog.pushed_documents import PushResult, PushTarget
from pipelines.errors import LandingUnavailable
from pipelines.landing.pushed_bodies import PushedBodies

MOST_WAITING = 10_000
"""Changes of a connection that wait to be read: more are not taken until some are."""

WRITERS = 4
"""Documents that are written to the landing at once."""
SECONDS_TO_KEEP = 30.0
"""For the landing to take a document."""


class InboxFull(Exception):
    """So much waits already that no more is taken for now."""


@dataclass(frozen=True, slots=True)
class DocumentIntake:
    """What takes documents of all connections."""

    catalog: Catalog
    bodies: PushedBodies
    _writers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(WRITERS, "pushed"), repr=False)

    def put(
        self, connection: Connection, name: str, document: PushedDocument, file: PushedFile | None
    ) -> tuple[PushResult, str]:
        """Keep a document, durably when this returns; what has become of it, and the unit that it is in.

        Raises PushRefused, InboxFull, LandingUnavailable and CatalogUnavailable.
        """
        accepted = accept(connection, document, file, datetime.now(UTC))
        rows = self.catalog.pushed_documents
        known = rows.find(connection.id, [name]).get(name)
        if isinstance(known, StoredDocument) and known.fingerprint == accepted.fingerprint:
            return "unchanged", accepted.unit
        target = _target(connection, name)
        if known is not None:
            rows.narrow(target, accepted.fields.readers)  # first: rights wait neither for room nor for the landing
        self._require_room(connection)
        return rows.put(target, accepted, self._write(connection, accepted.content)), accepted.unit

    def remove(self, connection: Connection, name: str) -> bool:
        """Delete a document, which nobody finds from then on; False where there is none.

        Raises CatalogUnavailable.
        """
        return self.catalog.pushed_documents.remove(_target(connection, name))

    def _write(self, connection: Connection, content: bytes) -> str:
        """Keep a content, and return where. Nobody waits for longer than is sensible on a landing that does not answer:
        what it takes later is named by nothing, and removed."""
        writing = self._writers.submit(self.bodies.write, connection.id, content)
        try:
            return writing.result(SECONDS_TO_KEEP)
        except TimeoutError as error:
            writing.cancel()
            raise LandingUnavailable(error) from None

    def _require_room(self, connection: Connection) -> None:
        if self.catalog.events.count_pending(connection.id) >= MOST_WAITING:
            raise InboxFull


def document_id(connection: Connection, name: str) -> str:
    """The id by which search and everything else know a document."""
    return f"{id_prefix(connection.source, connection.id)}{name}"


def _target(connection: Connection, name: str) -> PushTarget:
    return PushTarget(connection.id, name, document_id(connection, name))
