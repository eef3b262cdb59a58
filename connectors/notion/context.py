"""What all reading of a connection shares: through what to ask, and how documents are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connectors.contract import attachment_id
from connectors.model import Parent
from connectors.notion.access import readers
from connectors.notion.client import NotionClient
from connectors.notion.comments import NotionComments
from connectors.notion.file_store import FileStore
from connectors.notion.objects import NotionObject
from connectors.notion.payloads import NotionUser
from connectors.notion.settings import NotionConnection


@dataclass(frozen=True, slots=True)
class NotionContext:
    """A connection and what is asked through it. `people` gives names by user id, when asked."""

    connection: NotionConnection
    client: NotionClient
    store: FileStore
    comments: NotionComments
    people: Callable[[], Mapping[str, str]]

    @property
    def requests(self) -> int:
        """How many were sent to Notion and to where it keeps files."""
        return self.client.requests + self.store.requests

    def document_id(self, own: str) -> str:
        return f"notion:{self.connection.id}/{own}"

    def file_id(self, page_id: str, key: str) -> str:
        return attachment_id(self.document_id(page_id), key)

    def path_of(self, document_id: str) -> list[str]:
        """The inverse of `document_id` and `file_id`: an object's id, and what follows it."""
        return document_id.removeprefix(self.document_id("")).split("/")

    def parents(self, ancestors: Sequence[NotionObject]) -> tuple[Parent, ...]:
        return tuple(Parent(self.document_id(one.ref.id), one.title) for one in ancestors)

    def mapped_readers(self, path: Sequence[NotionObject]) -> tuple[str, ...]:
        """Readers of an object where they are not simply those of its unit: they are part of its fingerprint then."""
        return readers(self.connection, path) if self.connection.readers_by_page else ()

    def author(self, user: NotionUser | None) -> str:
        """Name of who made an object; empty where the integration may not see people."""
        if user is None:
            return ""
        # Names are asked for only where an object does not carry its author's.
        return user.name or self.people().get(user.id, "")
