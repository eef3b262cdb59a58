"""What all reading of a connection shares: through what to ask, and how documents are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from connectors.contract import attachment_id
from connectors.errors import AuthenticationFailed, RateLimited, SourceError
from connectors.model import Parent
from connectors.notion import access
from connectors.notion.client import NotionClient
from connectors.notion.comments import NotionComments
from connectors.notion.file_store import FileStore
from connectors.notion.objects import NotionObject, Ref
from connectors.notion.part_table import COMMENTS, PEOPLE
from connectors.notion.payloads import NotionComment, NotionUser
from connectors.notion.render.blocks import BlockTree
from connectors.notion.settings import NotionConnection
from connectors.part_watch import PartWatch

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NotionContext:
    """A connection and what is asked through it. `people` gives names by user id, when asked; `parts` is told of all
    that is asked for. `missing` says which parts an object is read without."""

    connection: NotionConnection
    client: NotionClient
    store: FileStore
    comments: NotionComments
    people: Callable[[], Mapping[str, str]]
    parts: PartWatch
    missing: dict[str, SourceError] = field(default_factory=dict)

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

    def parents(self, ancestors: Sequence[NotionObject], readers: Sequence[str]) -> tuple[Parent, ...]:
        """What a document with these readers is in, without the titles that not all of them may see."""
        titles = access.titles(self.connection, ancestors, readers)
        return tuple(Parent(self.document_id(one.ref.id), name) for one, name in zip(ancestors, titles, strict=True))

    def mapped_readers(self, path: Sequence[NotionObject]) -> tuple[str, ...]:
        """Readers of an object where they are not simply those of its unit: they are part of its fingerprint then."""
        return access.readers(self.connection, path) if self.connection.readers_by_page else ()

    def author(self, user: NotionUser | None) -> str:
        """Name of who made an object; empty where the integration may not see people."""
        if user is None:
            return ""
        # Names are asked for only where an object does not carry its author's.
        return user.name or self.names().get(user.id, "")

    def names(self) -> Mapping[str, str]:
        """Names by user id; none where they are missing."""
        return self._unless_missing(PEOPLE, lambda: self.parts.ask(PEOPLE, self.people), {})

    def comments_on(self, page_id: str, blocks: Sequence[BlockTree]) -> list[NotionComment]:
        """Open comments on a page; none where they are missing."""
        return self._unless_missing(COMMENTS, lambda: self.comments.read(page_id, blocks, self.parts), [])

    def place_of_comment(self, comment_id: str) -> Ref | None:
        """The page or block that a comment is on; None where comments are missing. Raises SourceError."""
        ask = partial(self.parts.ask, COMMENTS, partial(self.client.comment, comment_id))
        found = self._unless_missing(COMMENTS, ask, NotionComment())
        return found.parent

    def _unless_missing(self, part: str, ask: Callable[[], T], otherwise: T) -> T:
        try:
            return ask()
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            if self.parts.lacks(part, error):
                self.missing[part] = error
            return otherwise
