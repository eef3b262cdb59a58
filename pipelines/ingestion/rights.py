"""Rights: the index follows what the catalog knows of readers and deletions, without chunking or embedding anything.

Until it has followed and is published, queries leave out by the catalog's revocations what must not be found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connectors.contract import Checkpoint, Connector, Deleted, ObjectItem, PartState, holder_of
from connectors.model import Document, Unit
from connectors.registry import sources
from connectors.settings import Connection
from pipelines.catalog.documents import DocumentState
from pipelines.catalog.rights import RightsToApply
from pipelines.catalog.statements import in_parts
from pipelines.index.conditions import Conditions
from pipelines.index.contract import IndexStore
from pipelines.index.filters import document_conditions, unit_conditions
from pipelines.ingestion.admission import Admission
from pipelines.ingestion.diff import DocumentDiff, diff_item
from pipelines.ingestion.withdrawn_text import compare_texts
from pipelines.services import Services

_ATTEMPTS = 3
"""How often a document is looked at that others read at the same moment."""


def apply_rights(services: Services, connection: str, source: str, unit: str) -> int:
    """Bring the readers in the index up to date in one unit, and remove what was deleted; for a caller that holds the
    unit's lease. Returns in how many documents there was something to do. Raises IndexBusy and IndexMismatch.
    """
    rights = services.catalog.rights
    rights.expire(connection, unit)
    if not rights.to_apply(connection, unit):
        return 0  # the usual case, in which the index need not be opened
    with services.store() as store:
        behind = rights.to_apply(connection, unit)  # another process may have written until the store was ours
        rights.record_intended({one: readers for readers, ids in behind.changed.items() for one in ids})
        _remove(store, behind.removed)
        for readers, where in _steps(connection, source, unit, behind):
            store.set_readers(where, source, readers)
        rights.record_applied(behind)
    return len(behind.removed) + sum(map(len, behind.changed.values()))


def read_rights(
    services: Services,
    connection: Connection,
    connector: Connector,
    unit: Unit,
    document_ids: Sequence[str],
    deletions: Collection[str] = (),
) -> None:
    """Look at documents again for what they have lost, and for nothing else: it counts from now, whoever holds the
    unit's lease and whether or not it is paused. Of those among `deletions` a part was deleted, or the whole.

    All that is below an object loses what it does by what the catalog knows; the source is asked for that only where
    the catalog cannot tell. Raises SourceError; what was seen before it counts.
    """
    below = {holder: one for one in document_ids if (holder := holder_of(one))}
    reader = _LossReader(services, connection, connector, unit, deletions, below.keys())
    reader.read([one for one in document_ids if not holder_of(one)])
    if below and not services.catalog.parents.are_known(connection.id, unit.id):
        reader.told.clear()
    reader.read([one for holder, one in below.items() if holder not in reader.told])


@dataclass(slots=True)
class _LossReader:
    """Looks at documents of one unit. What `containers` lose is lost by all that is in them; `told` are those of which
    the catalog was told what that is."""

    services: Services
    connection: Connection
    connector: Connector
    unit: Unit
    deletions: Collection[str]
    containers: Collection[str]
    told: set[str] = field(default_factory=set)

    def read(self, document_ids: Sequence[str]) -> None:
        remaining = list(document_ids)
        for _ in range(_ATTEMPTS):
            if not remaining:
                return
            remaining = self._read(remaining)

    def _read(self, document_ids: Sequence[str]) -> list[str]:
        """Returns the documents that another process has read meanwhile: which of the two saw the later state is
        open."""
        documents = self.services.catalog.documents
        states = documents.states(document_ids)
        admission, now = Admission(self.connection, self.unit), datetime.now(UTC)
        overtaken: list[str] = []
        for item in self.connector.fetch(self.unit, document_ids):
            if isinstance(item, Checkpoint | PartState):
                continue
            admitted = admission.admit(item)
            document_id = admitted.id if isinstance(admitted, Document) else admitted.document_id
            # What comes with an object, or is below it, was not asked for by its own id.
            known = states.get(document_id) or documents.states([document_id]).get(document_id)
            diff = diff_item(admitted, known, now)
            self._revoke(admitted, known, document_id, diff)
            if isinstance(admitted, Document) and (state := states.get(document_id)):
                overtaken += self._withdraw(admitted, state)
        return overtaken

    def _revoke(self, item: ObjectItem, known: DocumentState | None, document_id: str, diff: DocumentDiff) -> None:
        catalog, own = self.services.catalog, (self.connection.id, self.unit.id)
        catalog.rights.revoke(*own, {document_id: diff.revoked})
        catalog.rights.end_sooner({document_id: diff.readers.until} if diff.readers else {})
        if known is None or document_id not in self.containers:
            return
        if isinstance(item, Deleted):
            catalog.parents.hide_below(*own, [document_id])
            self.told.add(document_id)
        elif isinstance(item, Document) and known.readers is not None:
            catalog.parents.revoke_below(*own, {document_id: diff.revoked})
            self.told.add(document_id)

    def _withdraw(self, document: Document, state: DocumentState) -> list[str]:
        """Returns the document where another process has read it meanwhile."""
        compared = compare_texts(self.services, {document.id: state}, [document], self.deletions)
        found, own = compared.withdrawals.get(document.id), (self.connection.id, self.unit.id, document.id)
        is_done = found is None or self.services.catalog.withdrawals.withdraw(*own, found, state.version)
        return [] if is_done else [document.id]


def _remove(store: IndexStore, document_ids: Sequence[str]) -> None:
    for part in in_parts(document_ids):
        store.remove(document_conditions(part))


def _steps(
    connection: str, source: str, unit: str, behind: RightsToApply
) -> Iterator[tuple[tuple[str, ...], Conditions]]:
    """Readers, and which points get them: those of the whole unit at once where all of its documents have the same, and
    no points that name it are of another's."""
    known = sources().get(source)
    alike = known is not None and known.documents_have_unit_readers
    for readers, ids in behind.changed.items():
        if behind.settled and len(ids) == behind.indexed and (alike or not readers):
            yield readers, unit_conditions(connection, unit)
        else:
            for part in in_parts(ids):
                yield readers, document_conditions(part)
