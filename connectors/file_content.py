"""The bytes of a file as content of a document, for all sources alike. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from connectors import media
from connectors.cleaning import clean_text
from connectors.decoding import UnknownEncoding, decode
from connectors.model import PLAIN_TEXT
from connectors.pictures import is_picture


class SkipFile(Exception):
    """A file is passed over on purpose; `reason` is for the ledger."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class EmptyFile(SkipFile):
    """There is nothing in a file."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """Text, or the bytes of a file."""

    body: str | bytes
    media_type: str


def read_content(data: bytes, declared: str, name: str, *, pictures: bool = False) -> FileContent:
    """What a file holds, by its declared media type, its name and its bytes; nothing of one that is found by its name
    alone. Raises SkipFile, also for a picture unless `pictures` are read."""
    if not data.strip():
        expected = media.expected_type(declared, name, pictures=pictures) or PLAIN_TEXT
        if is_picture(expected):  # its name is not what it shows
            raise EmptyFile("empty")
        return FileContent("", expected)
    media_type = media.resolve_type(declared, name, data, pictures=pictures)
    if media_type == media.OLE:
        raise SkipFile("unsupported type: an Office file from before 2007")
    if media_type is None:
        raise SkipFile(f"unsupported type: {declared or 'unknown'}")
    try:
        return parse_content(data, media_type, declared)
    except EmptyFile:
        return FileContent("", media_type)


def parse_content(data: bytes, media_type: str, declared: str = "") -> FileContent:
    """The content of a file of a known media type; `declared` may name a charset. Raises SkipFile."""
    if media.is_file(media_type) or is_picture(media_type):
        return FileContent(data, media_type)
    try:
        text = clean_text(decode(data, declared))
    except UnknownEncoding:
        raise SkipFile("unknown encoding: its bytes are a text in no known one") from None
    if not text.strip():
        raise EmptyFile("empty")
    return FileContent(text, media_type)
