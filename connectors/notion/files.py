"""The files of one page as documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from connectors.contract import Deleted, Failed, ObjectItem, Skipped
from connectors.errors import NotFound
from connectors.file_content import FileContent, SkipFile, read_content
from connectors.isolation import Isolation
from connectors.model import Document, Unit
from connectors.notion.access import readers
from connectors.notion.context import NotionContext
from connectors.notion.file_store import LARGEST, NotionFile, block_file, content_type, file_name, page_files
from connectors.notion.fingerprints import file_fingerprint
from connectors.notion.objects import NotionObject
from connectors.notion.payloads import page_of
from connectors.notion.render.blocks import BlockTree


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that is other than it was. `fingerprint` is None for one that could not be read, and empty for one that
    is gone."""

    key: str
    fingerprint: str | None
    item: ObjectItem


class NotionPageFiles:
    """A page that holds files, in the unit that is being read; `ancestors` run from the outermost container."""

    def __init__(self, context: NotionContext, unit: Unit, page: NotionObject, ancestors: Sequence[NotionObject]):
        self._context = context
        self._unit = unit
        self._ref = page.ref
        self._payload = page_of(page)
        self._ancestors = (*ancestors, page)

    def read_changes(
        self, files: Iterable[NotionFile], known: Mapping[str, str], isolation: Isolation
    ) -> Iterator[FileChange]:
        """The files that are other than their fingerprints in `known`, by key. The trouble of one is not its page's."""
        for file in files:
            fingerprint = self._fingerprint(file)
            if known.get(file.key) != fingerprint:
                read = partial(self._item, file)
                item = isolation.attempt(self._id(file.key), file.name, read, self._url(file))
                yield FileChange(file.key, None if isinstance(item, Failed) else fingerprint, item)

    def read_one(self, key: str) -> Document | Skipped | Deleted:
        """A file as it is now. Raises SourceError."""
        in_properties = {file.key: file for file in page_files(self._payload, ())}
        try:
            file = in_properties.get(key) or self._in_block(key)
        except NotFound:
            return Deleted(self._id(key), is_unfound=True)
        return self._item(file) if file else Deleted(self._id(key))

    def _in_block(self, block_id: str) -> NotionFile | None:
        """None where a block is in the trash, or holds no file. Raises SourceError."""
        block = self._context.client.block(block_id)
        return None if block.in_trash or block.archived else block_file(BlockTree(block))

    def _item(self, file: NotionFile) -> Document | Skipped:
        url = self._url(file)
        try:
            return self._document(file, self._load(file), url)
        except SkipFile as skipped:
            return Skipped(self._id(file.key), file.name, skipped.reason, url)

    def _load(self, file: NotionFile) -> FileContent:
        """What a file holds. Raises SkipFile and SourceError."""
        if reason := self._context.store.refuses(file):
            raise SkipFile(reason)
        data = self._context.store.load(file)
        if len(data) > LARGEST:
            raise SkipFile(f"larger than {LARGEST / 1e6:g} MB")
        pictures = self._context.connection.reads_pictures
        return read_content(data, content_type(file, pictures=pictures) or "", file_name(file), pictures=pictures)

    def _document(self, file: NotionFile, content: FileContent, url: str) -> Document:
        own = readers(self._context.connection, self._ancestors)
        return Document(
            id=self._id(file.key),
            source="notion",
            connection=self._context.connection.id,
            unit=self._unit.id,
            kind="file",
            title=file.name,
            url=url,
            content=content.body,
            content_type=content.media_type,
            author=self._context.author(self._payload.created_by),
            created_at=file.created_at,
            updated_at=file.updated_at,
            parents=self._context.parents(self._ancestors, own),
            readers=own,
        )

    def _id(self, key: str) -> str:
        return self._context.file_id(self._ref.id, key)

    def _url(self, file: NotionFile) -> str:
        """The file's place on its page: its own address is signed, and another at every read."""
        url = self._payload.url
        return f"{url}#{file.key.replace('-', '')}" if url and file.kind != "files" else url

    def _fingerprint(self, file: NotionFile) -> str:
        """Changes with all that a file's document shows, whatever its signature is."""
        shown = [file.path, file.name, file.kind, str(file.updated_at)]
        return file_fingerprint(shown, self._ancestors, self._context.mapped_readers(self._ancestors))
