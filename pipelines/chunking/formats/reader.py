"""From content of any media type to blocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from connectors import media
from connectors.cleaning import clean_text, without_invisible
from connectors.decoding import UnknownEncoding, decode
from connectors.model import HTML, MARKDOWN
from pipelines.chunking.blocks import Block, paragraphs
from pipelines.chunking.formats.calendars import calendar_blocks
from pipelines.chunking.formats.data import json_blocks, xml_blocks
from pipelines.chunking.formats.excel import xlsx_blocks
from pipelines.chunking.formats.html import html_blocks
from pipelines.chunking.formats.mail import mail_blocks
from pipelines.chunking.formats.markdown import markdown_blocks
from pipelines.chunking.formats.pdf import pdf_blocks
from pipelines.chunking.formats.powerpoint import pptx_blocks
from pipelines.chunking.formats.rtf import rtf_blocks
from pipelines.chunking.formats.tables import csv_blocks, tsv_blocks
from pipelines.chunking.formats.word import docx_blocks
from pipelines.errors import DocumentError

_TextReader: TypeAlias = Callable[[str], list[Block]]
_FileReader: TypeAlias = Callable[[bytes], list[Block]]

_TEXTS: Mapping[str, _TextReader] = {
    MARKDOWN: markdown_blocks,
    HTML: html_blocks,
    media.CSV: csv_blocks,
    media.TSV: tsv_blocks,
    media.CALENDAR: calendar_blocks,
    media.JSON: json_blocks,
    media.XML: xml_blocks,
}
_OFFICE: Mapping[str, tuple[str, _FileReader]] = {
    media.DOCX: ("Word document", lambda content: docx_blocks(content, read_blocks)),
    media.PPTX: ("PowerPoint presentation", pptx_blocks),
    media.XLSX: ("Excel workbook", xlsx_blocks),
}
_FILES: Mapping[str, tuple[str, _FileReader]] = {
    media.PDF: ("PDF", pdf_blocks),
    media.RTF: ("RTF", rtf_blocks),
    media.EML: ("mail", lambda content: mail_blocks(content, read_attachment)),
    **_OFFICE,
}
_OBJECT = re.compile(r"<[^>]* object at 0x[0-9a-f]+>")
_OLE_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read_blocks(content: str | bytes, content_type: str) -> list[Block]:
    """The blocks of a document; none if there is no text in it.

    Raises DocumentError for a broken file, with `skip` for one that is encrypted, of an unsupported type or in an
    unknown encoding.
    """
    media_type = media.declared_type(content_type)
    if not content:
        return []
    if media_type in _FILES:
        return _read_file(content.encode() if isinstance(content, str) else content, media_type)
    if reader := _text_reader(media_type):
        return _cleaned(reader(_text(content, content_type)), without_invisible)  # of a text that is clean itself
    raise DocumentError(f"unsupported type: {media_type or 'none given'}", skip=True)


def read_attachment(data: bytes, content_type: str, name: str, depth: int) -> list[Block]:
    """The blocks of a file inside a mail, which may be a mail again, `depth` levels below the outermost. Raises
    DocumentError, also for what holds no text."""
    media_type = media.resolve_type(content_type, name, data)
    if not media_type:
        raise DocumentError(f"unsupported type: {content_type or 'none given'}", skip=True)
    if media_type == media.EML:
        return mail_blocks(data, read_attachment, depth)
    is_file = media.is_file(media_type)
    return read_blocks(data, media_type if is_file else f"{media_type};{content_type.partition(';')[2]}")


def _text_reader(media_type: str) -> _TextReader | None:
    if media_type.endswith("+json"):
        return json_blocks
    if media_type.endswith("+xml"):
        return xml_blocks
    return _TEXTS.get(media_type, paragraphs if media.has_text(media_type) else None)


def _read_file(content: bytes, media_type: str) -> list[Block]:
    if media_type in _OFFICE and media.is_ole(content):
        if _OLE_ENCRYPTED in content:
            raise DocumentError("encrypted: the file needs a password", skip=True)
        raise DocumentError("unsupported type: an Office file from before 2007", skip=True)
    name, reader = _FILES[media_type]
    try:
        return _cleaned(reader(content), clean_text)
    except (DocumentError, MemoryError):
        raise
    except Exception as error:  # what a broken file makes its libraries raise is not documented
        reason = _OBJECT.sub("content", str(error)) or type(error).__name__
        raise DocumentError(f"broken {name}: {reason}") from error


def _text(content: str | bytes, content_type: str) -> str:
    """Text that any encoding can hold, with `\\n` line ends."""
    try:
        text = decode(content, content_type) if isinstance(content, bytes) else content
    except UnknownEncoding:
        raise DocumentError("unknown encoding: its bytes are a text in no known one", skip=True) from None
    if not text.isascii():
        text = text.encode(errors="replace").decode()
    return clean_text(text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd"))


def _cleaned(blocks: list[Block], clean: Callable[[str], str]) -> list[Block]:
    """Blocks without what only shows once a format has been read, as a soft hyphen that HTML writes `&shy;`."""
    cleaned = []
    for block in blocks:
        text = clean(block.text)
        if text is block.text:
            cleaned.append(block)
        elif text.strip():
            cleaned.append(replace(block, text=text, head=clean(block.head), tail=clean(block.tail)))
    return cleaned
