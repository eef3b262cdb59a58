"""One unit being read: from places in the tree to documents."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from connectors.contract import Deleted, Failed, Item, Skipped
from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    TransientError,
)
from connectors.model import MARKDOWN, Document, Unit
from connectors.notion.access import readers
from connectors.notion.client import OLDER_VERSION, Payload, moment
from connectors.notion.content import completed, pages_inside, read_blocks, read_remains
from connectors.notion.context import Account
from connectors.notion.file_store import Attachment, attachments
from connectors.notion.files import Attached
from connectors.notion.hierarchy import TROUBLES, Tree
from connectors.notion.objects import Node, Ref, listed_mark, node, place
from connectors.notion.render.blocks import Block, unsupported_kinds
from connectors.notion.render.pages import database_markdown, mentioned, page_markdown
from connectors.notion.render.properties import Known, option_names

logger = logging.getLogger(__name__)

_MALFORMED = (AttributeError, KeyError, TypeError, ValueError, RecursionError)
"""What rendering runs into where a payload is not what Notion documents."""


@dataclass(frozen=True, slots=True)
class _Found:
    """The object that was read last. `files` is None where they could not be told."""

    node: Node | None = None
    below: tuple[Ref, ...] = ()
    place: str = ""
    files: tuple[Attachment, ...] | None = ()


class Reading:
    """Turns pages and databases of a unit into documents."""

    def __init__(self, account: Account, tree: Tree, unit: Unit) -> None:
        self._account = account
        self._client = account.client
        self._tree = tree
        self._unit = unit
        self._last = _Found()
        self._troubles = 0
        self._untold: dict[Ref, TransientError] = {}

    @property
    def untold(self) -> TransientError | None:
        """What kept the rows of a data source from being listed, if something did."""
        return next(iter(self._untold.values()), None)

    @property
    def below(self) -> tuple[Ref, ...]:
        """Pages, databases and data sources directly below the object that was read last."""
        return self._last.below

    @property
    def place(self) -> str:
        """A short mark of what those show of it."""
        return self._last.place

    def holds(self, ref: Ref) -> bool:
        """Whether an object stands in this unit. Raises SourceError if that cannot be told."""
        found = self._tree.seen(ref)
        return found is not None and self._root(found).id == self._unit.id

    def holds_now(self, ref: Ref) -> bool | None:
        """As `holds`; None where that cannot be told now."""
        try:
            return self.holds(ref)
        except RateLimited:
            raise
        except TransientError as error:
            self._troubles += 1
            if self._troubles == TROUBLES:
                raise
            logger.warning("%s %s: what it stands in cannot be told now: %s", *ref, error)
            return None

    def elsewhere(self, ref: Ref) -> bool:
        """Whether an object stands in another unit, as far as that can be told."""
        try:
            found = self._tree.seen(ref)
            return found is not None and self._root(found).id != self._unit.id
        except TransientError:
            return False

    def in_trash(self, ref: Ref) -> bool:
        """Whether an object, or what it stands in, is in the trash."""
        found = self._tree.seen(ref)
        return found is not None and self._in_trash(found)

    def mark(self, ref: Ref) -> str:
        """What `ListingEntry.fingerprint` is of an object in reach."""
        found = self._tree.seen(ref)
        return listed_mark(found, self._tree.chain(found)) if found else ""

    def items(self, ref: Ref, files: dict[str, str]) -> Iterator[Item]:
        """The object as it is now, and those of its files that are other than `files` marks them by their key.

        `files` is brought up to date. Raises SourceError where the trouble is not this object's alone.
        """
        yield self.item(ref)
        if self._last.files is None:
            return
        for key in sorted(files.keys() - {attachment.key for attachment in self._last.files}):
            del files[key]
            yield Deleted(self._account.file_id(ref.id, key))
        if self._last.node and self._last.files:
            page = self._attached(self._last.node)
            yield from page.changed(self._last.files, files)

    def item(self, ref: Ref) -> Document | Skipped | Failed | Deleted:
        """The object alone. Raises SourceError where the trouble is not this object's alone."""
        return self._guarded(self._account.document_id(ref.id), lambda: self._item(ref))

    def file(self, page: Ref, key: str) -> Document | Skipped | Failed | Deleted:
        """A file of a page as it is now. Raises SourceError where the trouble is not this file's alone."""
        document_id = self._account.file_id(page.id, key)

        def read() -> Document | Skipped | Failed | Deleted:
            found = self._tree.whole(page)
            self._last = _Found(found)
            if found is None or self._root(found).id != self._unit.id or self._in_trash(found):
                return Deleted(document_id)
            return self._attached(found).named(key)

        return self._guarded(document_id, read)

    def remains(self, ref: Ref) -> tuple[tuple[Ref, ...], tuple[Attachment, ...]]:
        """What is below an object in the trash, and its files; nothing where Notion does not tell any more."""
        try:
            found = self._tree.whole(ref)
            if found is None:
                return (), ()
            if ref.kind != "page":
                sources = [source.ref for source in self._tree.sources(found)] or [Ref("data_source", ref.id)]
                return tuple(row for source in sources for row in self._rows(source, trashed=True)), ()
            blocks = read_remains(self._client, ref.id)
        except (AccessDenied, NotFound, RequestRejected):
            return (), ()
        return tuple(pages_inside(blocks)), tuple(attachments(found.payload, blocks))

    def following(self, waiting: list[Ref], known: set[Ref]) -> Iterator[Ref]:
        """Each object that is waiting and not in `known`, which grows by it; data sources stand for their rows.

        Search is not sure to name every page: https://developers.notion.com/reference/search-optimizations-and-limitations
        A data source whose rows cannot be listed now stays among those waiting.
        """
        aside: list[Ref] = []
        while waiting:
            ref = waiting.pop()
            if ref.kind == "data_source":
                waiting.extend(row for row in self._rows_now(ref) if row not in known)
                aside.extend([ref] if ref in self._untold else [])
            elif ref not in known:
                known.add(ref)
                if not self.elsewhere(ref):
                    yield ref
        waiting.extend(aside)

    def _rows_now(self, source: Ref) -> list[Ref]:
        """Rows of a data source; none where they cannot be listed now, which is remembered."""
        if source in self._untold:
            return []
        try:
            return self._rows(source)
        except RateLimited:
            raise
        except TransientError as error:
            self._untold[source] = error
            if len(self._untold) == TROUBLES:
                raise
            logger.warning("the rows of %s cannot be listed now: %s", source.id, error)
            return []

    def _attached(self, page: Node) -> Attached:
        return Attached(self._account, self._unit, page, self._tree.chain(page))

    def _rows(self, source: Ref, *, trashed: bool = False) -> list[Ref]:
        """Empty where the integration sees the data source, but may not query it."""
        queries = [self._client.rows, self._client.database_rows]
        for query in queries[1:] if self._client.version == OLDER_VERSION else queries:
            try:
                nodes = [node(row) for row in query(source.id, trashed=trashed)]
            except (AccessDenied, NotFound, RequestRejected) as error:
                logger.warning("the rows of %s are not listed: %s", source.id, error)
                continue
            return [self._tree.add(row) for row in nodes if row]
        return []

    def _guarded(
        self, document_id: str, read: Callable[[], Document | Skipped | Failed | Deleted]
    ) -> Document | Skipped | Failed | Deleted:
        self._last = _Found(files=None)
        try:
            item = read()
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            self._troubles += isinstance(error, TransientError)
            if self._troubles == TROUBLES:
                raise
            return self._failed(document_id, str(error))
        except _MALFORMED as error:
            return self._failed(document_id, f"not as Notion documents it: {type(error).__name__}: {error}")
        self._troubles = 0
        return item

    def _item(self, ref: Ref) -> Document | Skipped | Deleted:
        found = self._tree.whole(ref)
        self._last = _Found(found, files=None)
        if found is None or self._root(found).id != self._unit.id or self._in_trash(found):
            self._last = _Found(found)
            return Deleted(self._account.document_id(ref.id))
        return self._page(found) if ref.kind == "page" else self._database(found)

    def _failed(self, document_id: str, reason: str) -> Failed:
        """Named as far as it was found."""
        found = self._last.node
        if found is None:
            return Failed(document_id, "", reason)
        return Failed(document_id, found.title, reason, str(found.payload.get("url") or ""))

    def _root(self, found: Node) -> Ref:
        return next((above.ref for above in self._tree.chain(found)), found.ref)

    def _in_trash(self, found: Node) -> bool:
        return found.trashed or any(above.trashed for above in self._tree.chain(found))

    def _page(self, found: Node) -> Document | Skipped:
        page = completed(self._client, found.payload)
        blocks = read_blocks(self._client, found.ref.id)
        comments = self._account.comments.read(found.ref.id, blocks)
        titles = {ref.id: other.title for ref in mentioned(page, blocks) if (other := self._tree.seen(ref))}
        above = self._tree.chain(found)
        kind = "database_row" if above and above[-1].ref.kind != "page" else "page"
        content = page_markdown(page, blocks, Known(titles, self._account.people()), comments)
        document = self._document(found, page, kind, content, _tags(page, blocks))
        self._last = _Found(found, tuple(pages_inside(blocks)), place(found, ()), tuple(attachments(page, blocks)))
        return document

    def _database(self, found: Node) -> Document | Skipped:
        sources = self._tree.sources(found)
        payloads = [source.payload for source in sources] or [found.payload]
        # Since version 2025-09-03 a database tells neither its author nor when a data source was edited.
        latest = max((one for one in (found, *sources) if one.edited), key=_edited, default=found)
        payload = {**payloads[0], **found.payload, "last_edited_time": latest.payload.get("last_edited_time")}
        document = self._document(found, payload, "database", database_markdown(found.payload, payloads))
        rows = tuple(source.ref for source in sources) or (Ref("data_source", found.ref.id),)
        columns = [f"{source['id']} {name}" for source in payloads for name in source.get("properties") or ()]
        self._last = _Found(found, rows, place(found, columns))
        return document

    def _document(
        self, found: Node, payload: Payload, kind: str, content: str, tags: Sequence[str] = ()
    ) -> Document | Skipped:
        url = str(payload.get("url") or "")
        document_id = self._account.document_id(found.ref.id)
        if not content.strip():
            return Skipped(document_id, found.title, "empty", url)
        return Document(
            id=document_id,
            source="notion",
            connection=self._account.connection.id,
            unit=self._unit.id,
            kind=kind,
            title=found.title,
            url=url,
            content=content,
            content_type=MARKDOWN,
            author=self._account.author(payload),
            created_at=moment(payload.get("created_time")),
            updated_at=moment(payload.get("last_edited_time")),
            parents=self._account.parents(self._tree.chain(found)),
            tags=tuple(tags),
            readers=readers(self._account.connection),
            fingerprint=listed_mark(found, self._tree.chain(found)),
        )


def _tags(page: Payload, blocks: Sequence[Block]) -> tuple[str, ...]:
    """Options chosen in properties, and `unsupported:<kind>` for blocks that the API does not show."""
    hidden = sorted(f"unsupported:{kind}" for kind in unsupported_kinds(blocks))
    return tuple(dict.fromkeys((*option_names(page.get("properties")), *hidden)))


def _edited(found: Node) -> float:
    return found.edited.timestamp() if found.edited else 0.0
