"""One unit being read: from places in the tree to documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from connectors.connection import NotionConnection
from connectors.errors import AccessDenied, AuthenticationFailed, NotFound, RateLimited, SourceError, TransientError
from connectors.model import MARKDOWN, Deleted, Document, Failed, Parent, Skipped, Unit
from connectors.notion.access import readers
from connectors.notion.bodies import completed, pages_inside, read_blocks
from connectors.notion.client import NotionClient, Payload, moment
from connectors.notion.nodes import Node, Ref, node
from connectors.notion.properties import Known, option_names
from connectors.notion.render import database_markdown, mentioned, page_markdown
from connectors.notion.tree import Tree

_MALFORMED = (AttributeError, KeyError, TypeError, ValueError, RecursionError)
"""What rendering runs into where a payload is not what Notion documents."""

TROUBLES_IN_A_ROW = 3
"""After as many objects that fail for a passing reason, one after the other, Notion itself is taken to be down."""


class Reading:
    """Turns pages and databases of a unit into documents. `people` gives names by user id, when asked."""

    def __init__(
        self,
        connection: NotionConnection,
        client: NotionClient,
        tree: Tree,
        unit: Unit,
        people: Callable[[], Mapping[str, str]],
    ) -> None:
        self._connection = connection
        self._client = client
        self._tree = tree
        self._unit = unit
        self._people = people
        self._below: list[Ref] = []
        self._found: Node | None = None
        self._troubles = 0

    def document_id(self, ref: Ref) -> str:
        return f"notion:{self._connection.id}/{ref.id}"

    def holds(self, ref: Ref) -> bool:
        """Whether an object stands in this unit. Raises SourceError if that cannot be told."""
        found = self._tree.seen(ref)
        return found is not None and self._root(found).id == self._unit.id

    def item(self, ref: Ref) -> Document | Skipped | Failed | Deleted:
        """The object as it is now. Raises SourceError where the trouble is not this object's alone."""
        self._below = []
        self._found = None
        try:
            item = self._item(ref)
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            self._troubles += isinstance(error, TransientError)
            if self._troubles == TROUBLES_IN_A_ROW:
                raise
            return self._failed(ref, str(error))
        except _MALFORMED as error:
            return self._failed(ref, f"not as Notion documents it: {type(error).__name__}: {error}")
        self._troubles = 0
        return item

    def items_below(self, known: set[Ref]) -> Iterator[Document | Skipped | Failed | Deleted]:
        """What stands directly or deeper below the last item and is not in `known`, which grows by it.

        Search is not sure to name every page: https://developers.notion.com/reference/search-optimizations-and-limitations
        """
        waiting = list(self._below)
        while waiting:
            ref = waiting.pop()
            if ref.kind == "data_source":
                waiting.extend(self._rows(ref))
            elif ref not in known:
                known.add(ref)
                if self.holds(ref):
                    yield self.item(ref)
                    waiting.extend(self._below)

    def _rows(self, source: Ref) -> list[Ref]:
        """Empty where the integration sees the data source, but may not query it."""
        try:
            nodes = [node(row) for row in self._client.rows(source.id)]
        except (AccessDenied, NotFound):
            return []
        return [self._tree.add(row) for row in nodes if row]

    def _item(self, ref: Ref) -> Document | Skipped | Deleted:
        self._found = found = self._tree.find(ref)
        if found is None or self._root(found).id != self._unit.id or self._in_trash(found):
            return Deleted(self.document_id(ref))
        return self._page(found) if ref.kind == "page" else self._database(found)

    def _failed(self, ref: Ref, reason: str) -> Failed:
        """Named as far as it was found."""
        if self._found is None:
            return Failed(self.document_id(ref), "", reason)
        return Failed(self.document_id(ref), self._found.title, reason, str(self._found.payload.get("url") or ""))

    def _root(self, found: Node) -> Ref:
        return next((above.ref for above in self._tree.chain(found)), found.ref)

    def _in_trash(self, found: Node) -> bool:
        return found.trashed or any(above.trashed for above in self._tree.chain(found))

    def _page(self, found: Node) -> Document | Skipped:
        page = completed(self._client, found.payload)
        blocks = read_blocks(self._client, found.ref.id)
        self._below = list(pages_inside(blocks))
        titles = {ref.id: other.title for ref in mentioned(page, blocks) if (other := self._tree.seen(ref))}
        above = self._tree.chain(found)
        kind = "database_row" if above and above[-1].ref.kind != "page" else "page"
        content = page_markdown(page, blocks, Known(titles, self._people()))
        return self._document(found, page, kind, content, option_names(page.get("properties")))

    def _database(self, found: Node) -> Document | Skipped:
        sources = self._tree.sources(found)
        self._below = [source.ref for source in sources]
        payloads = [source.payload for source in sources] or [found.payload]
        # Since version 2025-09-03 a database tells neither its author nor when a data source was edited.
        latest = max((one for one in (found, *sources) if one.edited), key=_edited, default=found)
        payload = {**payloads[0], **found.payload, "last_edited_time": latest.payload.get("last_edited_time")}
        return self._document(found, payload, "database", database_markdown(found.payload, payloads))

    def _document(
        self, found: Node, payload: Payload, kind: str, content: str, tags: Sequence[str] = ()
    ) -> Document | Skipped:
        url = str(payload.get("url") or "")
        if not content.strip():
            return Skipped(self.document_id(found.ref), found.title, "empty", url)
        author = payload.get("created_by") or {}
        return Document(
            id=self.document_id(found.ref),
            source="notion",
            connection=self._connection.id,
            unit=self._unit.id,
            kind=kind,
            title=found.title,
            url=url,
            content=content,
            content_type=MARKDOWN,
            author=str(author.get("name") or self._people().get(str(author.get("id"))) or ""),
            created_at=moment(payload.get("created_time")),
            updated_at=moment(payload.get("last_edited_time")),
            parents=tuple(Parent(self.document_id(above.ref), above.title) for above in self._tree.chain(found)),
            tags=tuple(tags),
            readers=readers(self._connection),
        )


def _edited(found: Node) -> float:
    return found.edited.timestamp() if found.edited else 0.0
