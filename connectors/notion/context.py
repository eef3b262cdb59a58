"""What all reading of a connection shares: through what to ask, and how documents are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connectors.model import Parent
from connectors.notion.client import NotionClient, Payload
from connectors.notion.comments import Comments
from connectors.notion.file_store import FileStore
from connectors.notion.objects import Node
from connectors.notion.settings import NotionConnection


@dataclass(frozen=True, slots=True)
class Account:
    """A connection and what is asked through it. `people` gives names by user id, when asked."""

    connection: NotionConnection
    client: NotionClient
    store: FileStore
    comments: Comments
    people: Callable[[], Mapping[str, str]]

    def document_id(self, *names: str) -> str:
        return f"notion:{self.connection.id}/{'/'.join(names)}"

    def parents(self, above: Sequence[Node]) -> tuple[Parent, ...]:
        return tuple(Parent(self.document_id(one.ref.id), one.title) for one in above)

    def author(self, payload: Payload) -> str:
        """Name of who made an object; empty where the integration may not see people."""
        author = payload.get("created_by") or {}
        return str(author.get("name") or self.people().get(str(author.get("id"))) or "")

    def file_id(self, page_id: str, key: str) -> str:
        return self.document_id(page_id, "files", key)
