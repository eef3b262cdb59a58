"""Files on pages, as documents of their own. https://developers.notion.com/reference/file-object

Notion keeps files on another host, under URLs whose signature is another at every read. The token never goes there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import PurePosixPath
from urllib.parse import SplitResult, unquote, urlsplit

import httpx

from connectors import media
from connectors.errors import AccessDenied, RequestRejected, SourceError
from connectors.fingerprints import fingerprint
from connectors.http import ApiClient
from connectors.model import HTML
from connectors.notion.payloads import FileLink, NotionPage
from connectors.notion.render.blocks import MEDIA, BlockTree, is_copy
from connectors.notion.render.properties import files_of
from connectors.notion.render.rich_text import inline
from connectors.notion.settings import NotionConnection
from connectors.response_bodies import answered_type, file_bytes

NOTION_API = "https://api.notion.com"
NOTION_FILES = "https://prod-files-secure.s3.us-west-2.amazonaws.com"
LARGEST = 25_000_000
"""Bytes of a file that is read."""

_WITHOUT_TEXT = {"video": "videos", "audio": "audio files"}
_NOT_SATISFIABLE = 416
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class NotionFile:
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
        """Where the file is, without the signature. A file that is put in its place has another path."""
        return urlsplit(self.url).path


def page_files(page: NotionPage, blocks: Sequence[BlockTree]) -> list[NotionFile]:
    """The files of a page's properties and blocks, each once. A copy's files are the original's."""
    found = [*_in_properties(page), *_in_blocks(blocks)]
    return list({file.key: file for file in found}.values())


def block_file(block: BlockTree) -> NotionFile | None:
    """The file that a block holds."""
    return next(_in_blocks([block]), None)


def content_type(file: NotionFile, *, pictures: bool = False) -> str | None:
    """Media type of a file by its name: empty where only its content can tell, None for one that holds no text.
    `pictures` says whether those are read."""
    named = media.by_name(file.name) or media.by_name(unquote(file.path))
    return named or (media.PDF if file.kind == "pdf" else media.expected_type("", file_name(file), pictures=pictures))


def file_name(file: NotionFile) -> str:
    """The name by which a file's type is known: its path's where people gave it one without an extension."""
    return file.name if PurePosixPath(file.name).suffix else unquote(file.path)


def files_url(connection: NotionConnection) -> str:
    """Origin of the URLs at which the connection's files are."""
    if connection.files_url:
        return _origin(connection.files_url)
    return NOTION_FILES if _origin(connection.base_url) == NOTION_API else _origin(connection.base_url)


class FileStore:
    """Loads files from the one configured origin. Close it after use."""

    def __init__(self, connection: NotionConnection, transport: httpx.BaseTransport | None = None) -> None:
        self._origin = files_url(connection)
        self._pictures = connection.reads_pictures
        self._api = ApiClient(
            self._origin,
            {"User-Agent": "headrace"},
            check=_refusal,
            credential=f"files of {connection.id}",  # no token is sent, by which limits would be told apart
            transport=transport,
        )

    @property
    def requests(self) -> int:
        return self._api.requests

    def close(self) -> None:
        self._api.close()

    def refuses(self, file: NotionFile) -> str | None:
        """Why a file is passed over without loading it; None if it is to be read."""
        if file.external:
            return "kept outside Notion"
        if file.kind == "image" and not self._pictures:
            return "no text in images"
        if file.kind in _WITHOUT_TEXT:
            return f"no text in {_WITHOUT_TEXT[file.kind]}"
        if content_type(file, pictures=self._pictures) is None:
            return f"no text in files of type {PurePosixPath(file.name).suffix or 'unknown'}"
        if not file.url:
            return "no address to load it from"
        origin = _origin(file.url)
        return None if origin == self._origin else f"kept at {origin}, and not at the connection's `files_url`"

    def load(self, file: NotionFile) -> bytes:
        """Content of a file, cut one byte past the largest that is read. Raises SourceError: AccessDenied where a page
        or a message of another server comes instead."""
        parse = partial(_parse_file, expected=content_type(file, pictures=self._pictures))
        try:
            # S3 answers with as much of it; a server that knows no ranges with the whole file.
            return self._api.send("GET", file.url, parse=parse, headers={"Range": f"bytes=0-{LARGEST}"})
        except RequestRejected as error:
            if error.status == _NOT_SATISFIABLE:
                return b""  # no other file is without a first byte (RFC 9110, 14.1.2)
            raise


def _refusal(response: httpx.Response) -> SourceError | None:
    """401 is about the signature of one URL: no credentials of the connection were sent."""
    if response.status_code == 401:
        return AccessDenied(_where(response), "the signature of its URL was refused")
    return None


def _parse_file(response: httpx.Response, expected: str | None) -> bytes:
    """Notion keeps a file under the type that its name has: https://developers.notion.com/reference/create-a-file-upload"""
    answered = answered_type(response)
    is_odd = answered == HTML or (answered == media.JSON and expected)
    if is_odd and answered != expected:
        raise AccessDenied(_where(response), f"{answered} came in place of the file, whose name is of another type")
    return file_bytes(response)


def _where(response: httpx.Response) -> str:
    return str(response.url).split("?", 1)[0]


def _in_properties(page: NotionPage) -> Iterator[NotionFile]:
    for property_id, link in files_of(page.properties):
        url, external = _address(link)
        yield NotionFile(
            # By the path alone: the query is a signature, another at every read.
            key=fingerprint([property_id, urlsplit(url).path], 32),
            kind="files",
            name=link.name or _last_part(url),
            url=url,
            external=external,
            created_at=page.created_time,
            updated_at=None,
        )


def _in_blocks(blocks: Sequence[BlockTree]) -> Iterator[NotionFile]:
    for block in blocks:
        if block.kind in MEDIA and block.block.id:
            yield _of_block(block)
        if not is_copy(block):
            yield from _in_blocks(block.children)


def _of_block(block: BlockTree) -> NotionFile:
    url, external = _address(block.content)
    return NotionFile(
        key=block.block.id,
        kind=block.kind,
        name=block.content.name or _last_part(url) or inline(block.content.caption) or block.kind,
        url=url,
        external=external,
        created_at=block.block.created_time,
        updated_at=block.block.last_edited_time,
    )


def _address(link: FileLink) -> tuple[str, bool]:
    """URL of a file, and whether it is kept elsewhere than at Notion."""
    return (link.external.url, True) if link.external.url else (link.file.url, False)


def _last_part(url: str) -> str:
    return unquote(urlsplit(url).path.rsplit("/", 1)[-1])


def _origin(url: str) -> str:
    """Scheme, host and port of a URL, the port left out where it is the usual one."""
    parts: SplitResult = urlsplit(url)
    port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname or ''}{port}"
