"""One unit being read: from places in the tree to documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.connection import NotionConnection
from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    TransientError,
)
from connectors.model import MARKDOWN, Deleted, Document, Failed, Item, Parent, Skipped, Unit
from connectors.notion.access import readers
from connectors.notion.blocks import Block, unsupported_kinds
from connectors.notion.bodies import completed, pages_inside, read_blocks, read_remains
from connectors.notion.client import OLDER_VERSION, NotionClient, Payload, moment
from connectors.notion.comments import Comments
from connectors.notion.files import LARGEST, Attachment, FileStore, attachments, content_type
from connectors.notion.nodes import Node, Ref, digest, listed_mark, node, place
from connectors.notion.properties import Known, option_names
from connectors.notion.render import database_markdown, mentioned, page_markdown
from connectors.notion.tree import Tree

_MALFORMED = (AttributeError, KeyError, TypeError, ValueError, RecursionError)
"""What rendering runs into where a payload is not what Notion documents."""

TROUBLES_IN_A_ROW = 3
"""After as many objects that fail for a passing reason, one after the other, Notion itself is taken to be down."""


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

    def file_id(self, page_id: str, key: str) -> str:
        return self.document_id(page_id, "files", key)


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
        """What `Listed.mark` is of an object in reach."""
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
        for attachment in self._last.files:
            mark = self._file_mark(attachment)
            if files.get(attachment.key) != mark:
                item = self._file_item(attachment)
                if not isinstance(item, Failed):
                    files[attachment.key] = mark
                yield item

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
            attachment = self._attachment(found, key)
            return self._file(attachment) if attachment else Deleted(document_id)

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
        """
        while waiting:
            ref = waiting.pop()
            if ref.kind == "data_source":
                waiting.extend(row for row in self._rows(ref) if row not in known)
            elif ref not in known:
                known.add(ref)
                if not self.elsewhere(ref):
                    yield ref

    def _rows(self, source: Ref, *, trashed: bool = False) -> list[Ref]:
        """Empty where the integration sees the data source, but may not query it."""
        queries = [self._client.rows, self._client.database_rows]
        for query in queries[1:] if self._client.version == OLDER_VERSION else queries:
            try:
                nodes = [node(row) for row in query(source.id, trashed=trashed)]
            except (AccessDenied, NotFound):
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
            if self._troubles == TROUBLES_IN_A_ROW:
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
            author=self._author(payload),
            created_at=moment(payload.get("created_time")),
            updated_at=moment(payload.get("last_edited_time")),
            parents=self._parents(self._tree.chain(found)),
            tags=tuple(tags),
            readers=readers(self._account.connection),
            mark=listed_mark(found, self._tree.chain(found)),
        )

    def _attachment(self, found: Node, key: str) -> Attachment | None:
        """A file that is on a page now, asked for alone."""
        for attachment in attachments(found.payload, ()):
            if attachment.key == key:
                return attachment
        try:
            payload = self._client.block(key)
        except NotFound:
            return None
        gone = payload.get("in_trash") or payload.get("archived")
        return None if gone else next(iter(attachments({}, [Block(payload)])), None)

    def _file_item(self, attachment: Attachment) -> Document | Skipped | Failed:
        """A file of the page that was read last; its own trouble is not the page's."""
        page = self._page_of_file
        document_id = self._account.file_id(page.ref.id, attachment.key)
        try:
            return self._file(attachment)
        except RateLimited:
            raise
        except SourceError as error:
            return Failed(document_id, attachment.name, str(error), self._file_url(attachment))

    def _file(self, attachment: Attachment) -> Document | Skipped:
        page = self._page_of_file
        document_id = self._account.file_id(page.ref.id, attachment.key)
        url = self._file_url(attachment)
        reason = self._account.store.refuses(attachment)
        content = b"" if reason else self._account.store.load(attachment)
        if len(content) > LARGEST:
            reason = f"larger than {LARGEST / 1e6:g} MB"
        if reason or not content.strip():
            return Skipped(document_id, attachment.name, reason or "empty", url)
        return Document(
            id=document_id,
            source="notion",
            connection=self._account.connection.id,
            unit=self._unit.id,
            kind="file",
            title=attachment.name,
            url=url,
            content=content,
            content_type=str(content_type(attachment)),
            author=self._author(page.payload),
            created_at=attachment.created_at,
            updated_at=attachment.updated_at,
            parents=self._parents((*self._tree.chain(page), page)),
            readers=readers(self._account.connection),
        )

    @property
    def _page_of_file(self) -> Node:
        page = self._last.node
        assert page is not None, "files are read after their page"  # noqa: S101
        return page

    def _file_url(self, attachment: Attachment) -> str:
        """The file's place on its page: its own address is signed, and another at every read."""
        url = str(self._page_of_file.payload.get("url") or "")
        return f"{url}#{attachment.key.replace('-', '')}" if url and attachment.kind != "files" else url

    def _file_mark(self, attachment: Attachment) -> str:
        """Changes with all that a file's document shows, whatever its signature is."""
        page = self._page_of_file
        parents = [(one.ref.id, one.title) for one in (*self._tree.chain(page), page)]
        return digest(attachment.path, attachment.name, attachment.kind, str(attachment.updated_at), parents)[:8]

    def _parents(self, above: Sequence[Node]) -> tuple[Parent, ...]:
        return tuple(Parent(self._account.document_id(one.ref.id), one.title) for one in above)

    def _author(self, payload: Payload) -> str:
        author = payload.get("created_by") or {}
        return str(author.get("name") or self._account.people().get(str(author.get("id"))) or "")


def _tags(page: Payload, blocks: Sequence[Block]) -> tuple[str, ...]:
    """Options chosen in properties, and `unsupported:<kind>` for blocks that the API does not show."""
    hidden = sorted(f"unsupported:{kind}" for kind in unsupported_kinds(blocks))
    return tuple(dict.fromkeys((*option_names(page.get("properties")), *hidden)))


def _edited(found: Node) -> float:
    return found.edited.timestamp() if found.edited else 0.0
