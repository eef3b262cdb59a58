"""From what is kept to documents, and to entries of a listing."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.contract import Deleted, Failed, ListingEntry, id_prefix
from connectors.errors import NotFound
from connectors.fingerprints import fingerprint
from connectors.isolation import Isolation
from connectors.media import is_file
from connectors.model import Document, Parent
from connectors.pictures import is_picture
from connectors.pushed_documents import DocumentStore, RemovedDocument, StoredDocument

SOURCE = "push"


def document_id(connection: str, name: str) -> str:
    return f"{id_prefix(SOURCE, connection)}{name}"


def document_name(connection: str, document_id: str) -> str:
    """The id that a document was given by whoever pushed it."""
    return document_id.removeprefix(id_prefix(SOURCE, connection))


@dataclass(frozen=True, slots=True)
class PushItems:
    """Makes the items of one read."""

    connection: str
    store: DocumentStore
    isolation: Isolation

    def item(self, stored: StoredDocument | RemovedDocument) -> Document | Failed | Deleted:
        own = document_id(self.connection, stored.name)
        if isinstance(stored, RemovedDocument):
            return Deleted(own)
        return self.isolation.attempt(own, stored.fields.title, lambda: self._read(own, stored), stored.fields.url)

    def entry(self, stored: StoredDocument) -> ListingEntry:
        fields = stored.fields
        parents = tuple(one.id for one in self._parents(stored))
        own = document_id(self.connection, stored.name)
        return ListingEntry(own, fields.title, fields.updated_at, stored.fingerprint, parents)

    def _read(self, own: str, stored: StoredDocument) -> Document | Deleted:
        """As it is now, where it has changed since it was named."""
        try:
            return self._document(own, stored, self.store.read(stored))
        except NotFound:
            now = self.store.find([stored.name]).get(stored.name)
            if not isinstance(now, StoredDocument):
                return Deleted(own)
            if now.body == stored.body:
                raise
            if now.unit != stored.unit:
                return Deleted(own, moved_to=now.unit)
            return self._document(own, now, self.store.read(now))

    def _document(self, own: str, stored: StoredDocument, content: bytes) -> Document:
        fields = stored.fields
        return Document(
            id=own,
            source=SOURCE,
            connection=self.connection,
            unit=stored.unit,
            kind=fields.kind,
            title=fields.title,
            url=fields.url,
            content=content if is_file(fields.content_type) or is_picture(fields.content_type) else content.decode(),
            content_type=fields.content_type,
            author=fields.author,
            created_at=fields.created_at,
            updated_at=fields.updated_at,
            parents=self._parents(stored),
            tags=fields.tags,
            readers=fields.readers,
            fingerprint=stored.fingerprint,
        )

    def _parents(self, stored: StoredDocument) -> tuple[Parent, ...]:
        """By all that stands above them: two folders of one name are two. No id of a document begins as theirs do."""
        path = stored.fields.parents
        above = (path[: depth + 1] for depth in range(len(path)))
        return tuple(
            Parent(document_id(self.connection, f"/{fingerprint([stored.unit, *names], 32)}"), names[-1])
            for names in above
        )
