"""From content of any media type to blocks."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from connectors.model import HTML, MARKDOWN
from pipelines.chunking.blocks import Block, paragraphs
from pipelines.chunking.formats.excel import xlsx_blocks
from pipelines.chunking.formats.html import html_blocks
from pipelines.chunking.formats.mail import mail_blocks
from pipelines.chunking.formats.markdown import markdown_blocks
from pipelines.chunking.formats.pdf import pdf_blocks
from pipelines.chunking.formats.powerpoint import pptx_blocks
from pipelines.chunking.formats.tables import csv_blocks
from pipelines.chunking.formats.word import docx_blocks
from pipelines.errors import DocumentError

_TextReader: TypeAlias = Callable[[str], list[Block]]
_FileReader: TypeAlias = Callable[[bytes], list[Block]]

_TEXTS: Mapping[str, _TextReader] = {
    MARKDOWN: markdown_blocks,
    "text/x-markdown": markdown_blocks,
    HTML: html_blocks,
    "application/xhtml+xml": html_blocks,
    "text/csv": csv_blocks,
    "text/tab-separated-values": csv_blocks,
    "application/json": paragraphs,
    "application/xml": paragraphs,
    "application/yaml": paragraphs,
    "application/x-yaml": paragraphs,
}
_OPENXML = "application/vnd.openxmlformats-officedocument"
_OFFICE: Mapping[str, tuple[str, _FileReader]] = {
    f"{_OPENXML}.wordprocessingml.document": ("Word document", docx_blocks),
    f"{_OPENXML}.presentationml.presentation": ("PowerPoint presentation", pptx_blocks),
    f"{_OPENXML}.spreadsheetml.sheet": ("Excel workbook", xlsx_blocks),
}
_FILES: Mapping[str, tuple[str, _FileReader]] = {
    "application/pdf": ("PDF", pdf_blocks),
    "message/rfc822": ("mail", mail_blocks),
    **_OFFICE,
}
_OBJECT = re.compile(r"<[^>]* object at 0x[0-9a-f]+>")
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
"""How old Office files begin, and new ones with a password."""
_OLE_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_blocks(content: str | bytes, content_type: str) -> list[Block]:
    """The blocks of a document; none if there is no text in it.

    Raises DocumentError for a broken file, with `skip` for one that is encrypted or of an unsupported type.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if not content:
        return []
    if media_type in _FILES:
        return _read_file(content.encode() if isinstance(content, str) else content, media_type)
    default = paragraphs if media_type.startswith("text/") else None
    if reader := _TEXTS.get(media_type, default):
        return reader(_text(content))
    raise DocumentError(f"unsupported type: {media_type or 'none given'}", skip=True)


def _read_file(content: bytes, media_type: str) -> list[Block]:
    if media_type in _OFFICE and content.startswith(_OLE):
        if _OLE_ENCRYPTED in content:
            raise DocumentError("encrypted: the file needs a password", skip=True)
        raise DocumentError("unsupported type: an Office file from before 2007", skip=True)
    name, reader = _FILES[media_type]
    try:
        return reader(content)
    except (DocumentError, MemoryError):
        raise
    except Exception as error:  # what a broken file makes its libraries raise is not documented
        reason = _OBJECT.sub("content", str(error)) or type(error).__name__
        raise DocumentError(f"broken {name}: {reason}") from error


def _text(content: str | bytes) -> str:
    """Text that any encoding can hold, with `\\n` line ends."""
    text = _decode(content) if isinstance(content, bytes) else content
    if not text.isascii():
        text = text.encode(errors="replace").decode()
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")


def _decode(content: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
