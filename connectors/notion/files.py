"""The files of one page as documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from connectors.contract import Deleted, Failed, Skipped
from connectors.errors import NotFound, RateLimited, SourceError
from connectors.model import Document, Unit
from connectors.notion.access import readers
from connectors.notion.context import Account
from connectors.notion.file_store import LARGEST, Attachment, attachments, content_type
from connectors.notion.objects import Node, digest
from connectors.notion.render.blocks import Block


class Attached:
    """A page that holds files, in the unit that is being read; `above` runs from the outermost container."""

    def __init__(self, account: Account, unit: Unit, page: Node, above: Sequence[Node]) -> None:
        self._account = account
        self._unit = unit
        self._page = page
        self._above = (*above, page)
        self._payload = page.payload

    def changed(self, found: Iterable[Attachment], marks: dict[str, str]) -> Iterator[Document | Skipped | Failed]:
        """The files that are other than `marks` tells by their key, which is brought up to date.

        The trouble of one file is not that of its page. Raises RateLimited.
        """
        for attachment in found:
            mark = self._mark(attachment)
            if marks.get(attachment.key) == mark:
                continue
            try:
                item = self._item(attachment)
            except RateLimited:
                raise
            except SourceError as error:
                yield Failed(self._id(attachment.key), attachment.name, str(error), self._url(attachment))
                continue
            marks[attachment.key] = mark
            yield item

    def named(self, key: str) -> Document | Skipped | Deleted:
        """A file as it is now. Raises SourceError."""
        held = {attachment.key: attachment for attachment in attachments(self._payload, ())}
        attachment = held.get(key) or self._in_block(key)
        return self._item(attachment) if attachment else Deleted(self._id(key))

    def _in_block(self, block_id: str) -> Attachment | None:
        try:
            payload = self._account.client.block(block_id)
        except NotFound:
            return None
        gone = payload.get("in_trash") or payload.get("archived")
        return None if gone else next(iter(attachments({}, [Block(payload)])), None)

    def _item(self, attachment: Attachment) -> Document | Skipped:
        url = self._url(attachment)
        reason = self._account.store.refuses(attachment)
        content = b"" if reason else self._account.store.load(attachment)
        if len(content) > LARGEST:
            reason = f"larger than {LARGEST / 1e6:g} MB"
        if reason or not content.strip():
            return Skipped(self._id(attachment.key), attachment.name, reason or "empty", url)
        return Document(
            id=self._id(attachment.key),
            source="notion",
            connection=self._account.connection.id,
            unit=self._unit.id,
            kind="file",
            title=attachment.name,
            url=url,
            content=content,
            content_type=str(content_type(attachment)),
            author=self._account.author(self._payload),
            created_at=attachment.created_at,
            updated_at=attachment.updated_at,
            parents=self._account.parents(self._above),
            readers=readers(self._account.connection),
        )

    def _id(self, key: str) -> str:
        return self._account.file_id(self._page.ref.id, key)

    def _url(self, attachment: Attachment) -> str:
        """The file's place on its page: its own address is signed, and another at every read."""
        url = str(self._payload.get("url") or "")
        return f"{url}#{attachment.key.replace('-', '')}" if url and attachment.kind != "files" else url

    def _mark(self, attachment: Attachment) -> str:
        """Changes with all that a file's document shows, whatever its signature is."""
        parents = [(one.ref.id, one.title) for one in self._above]
        return digest(attachment.path, attachment.name, attachment.kind, str(attachment.updated_at), parents)[:8]
