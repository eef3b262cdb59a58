"""Files on pages, as documents of their own. https://developers.notion.com/reference/file-object

Notion keeps files on another host, under URLs that are signed anew at every read. The token never goes there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import httpx

from connectors.http import ApiClient
from connectors.model import HTML, MARKDOWN, PLAIN_TEXT
from connectors.notion.client import Payload, moment
from connectors.notion.objects import digest
from connectors.notion.render.blocks import MEDIA, Block, is_copy
from connectors.notion.render.properties import files_of
from connectors.notion.render.rich_text import inline
from connectors.notion.settings import NotionConnection

NOTION_API = "https://api.notion.com"
NOTION_FILES = "https://prod-files-secure.s3.us-west-2.amazonaws.com"
LARGEST = 25_000_000
"""Bytes of a file that is read."""

_OPENXML = "application/vnd.openxmlformats-officedocument"
_TYPES = {
    ".pdf": "application/pdf",
    ".docx": f"{_OPENXML}.wordprocessingml.document",
    ".pptx": f"{_OPENXML}.presentationml.presentation",
    ".xlsx": f"{_OPENXML}.spreadsheetml.sheet",
    ".eml": "message/rfc822",
    ".txt": PLAIN_TEXT,
    ".log": PLAIN_TEXT,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".html": HTML,
    ".htm": HTML,
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
_WITHOUT_TEXT = {"image": "images", "video": "videos", "audio": "audio files"}
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a page. `key` is the id of its block, or made of its property and path, and stays when it is read
    again; so does all else but `url`, if Notion keeps the file."""

    key: str
    kind: str
    name: str
    url: str
    external: bool
    created_at: datetime | None
    updated_at: datetime | None

    @property
    def path(self) -> str:
        """Where the file lies, without the signature. A file that is put in its place has another path."""
        return urlsplit(self.url).path


def attachments(page: Payload, blocks: Sequence[Block]) -> list[Attachment]:
    """The files of a page's properties and blocks, each once. A copy's files are the original's."""
    found = [*_in_properties(page), *_in_blocks(blocks)]
    return list({attachment.key: attachment for attachment in found}.values())


def content_type(attachment: Attachment) -> str | None:
    """Media type of a file that holds text, told by its name; None for any other."""
    return (
        _TYPES.get(PurePosixPath(attachment.name).suffix.lower())
        or _TYPES.get(PurePosixPath(unquote(attachment.path)).suffix.lower())
        or (_TYPES[".pdf"] if attachment.kind == "pdf" else None)
    )


def files_url(connection: NotionConnection) -> str:
    """Origin of the URLs at which the connection's files are."""
    if connection.files_url:
        return _origin(connection.files_url)
    return NOTION_FILES if _origin(connection.base_url) == NOTION_API else _origin(connection.base_url)


class FileStore:
    """Loads files from the one configured origin. Close it after use."""

    def __init__(self, connection: NotionConnection, transport: httpx.BaseTransport | None = None) -> None:
        self._origin = files_url(connection)
        self._api = ApiClient(
            self._origin, {"User-Agent": "headrace"}, credential=f"files of {connection.id}", transport=transport
        )

    @property
    def requests(self) -> int:
        return self._api.requests

    def close(self) -> None:
        self._api.close()

    def refuses(self, attachment: Attachment) -> str | None:
        """Why a file is passed over without loading it; None if it is to be read."""
        if attachment.external:
            return "kept outside Notion"
        if attachment.kind in _WITHOUT_TEXT:
            return f"no text in {_WITHOUT_TEXT[attachment.kind]}"
        if content_type(attachment) is None:
            return f"no text in files of type {PurePosixPath(attachment.name).suffix or 'unknown'}"
        if not attachment.url:
            return "no address to load it from"
        origin = _origin(attachment.url)
        return None if origin == self._origin else f"kept at {origin}, and not at the connection's `files_url`"

    def load(self, attachment: Attachment) -> bytes:
        """Content of a file, cut one byte past the largest that is read. Raises SourceError."""

        def content(response: httpx.Response) -> bytes:
            return response.content

        # S3 answers with as much of it; a server that knows no ranges with the whole file.
        return self._api.send("GET", attachment.url, parse=content, headers={"Range": f"bytes=0-{LARGEST}"})


def _in_properties(page: Payload) -> Iterator[Attachment]:
    for property_id, file in files_of(page.get("properties")):
        url, external = _place(file)
        yield Attachment(
            key=digest(property_id, urlsplit(url).path)[:32],
            kind="files",
            name=str(file.get("name") or "") or _last(url),
            url=url,
            external=external,
            created_at=moment(page.get("created_time")),
            updated_at=None,
        )


def _in_blocks(blocks: Sequence[Block]) -> Iterator[Attachment]:
    for block in blocks:
        if block.kind in MEDIA and block.payload.get("id"):
            yield _of_block(block)
        if not is_copy(block):
            yield from _in_blocks(block.children)


def _of_block(block: Block) -> Attachment:
    url, external = _place(block.content)
    return Attachment(
        key=str(block.payload["id"]),
        kind=block.kind,
        name=str(block.content.get("name") or "") or _last(url) or inline(block.content.get("caption")) or block.kind,
        url=url,
        external=external,
        created_at=moment(block.payload.get("created_time")),
        updated_at=moment(block.payload.get("last_edited_time")),
    )


def _place(file: Payload) -> tuple[str, bool]:
    """URL of a file, and whether it lies elsewhere than at Notion."""
    elsewhere = _url(file.get("external"))
    return (elsewhere, True) if elsewhere else (_url(file.get("file")), False)


def _url(value: Any) -> str:
    return str(value.get("url") or "") if isinstance(value, dict) else ""


def _last(url: str) -> str:
    return unquote(urlsplit(url).path.rsplit("/", 1)[-1])


def _origin(url: str) -> str:
    """Scheme, host and port of a URL, the port left out where it is the usual one."""
    parts: SplitResult = urlsplit(url)
    port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname or ''}{port}"
