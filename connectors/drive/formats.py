"""Which format a file is read in, and its bytes as content. All decisions about formats are here.

Source of the export formats: https://developers.google.com/workspace/drive/api/guides/ref-export-formats
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import PurePath

from connectors.drive.payloads import SHORTCUT, File
from connectors.model import HTML, MARKDOWN, PLAIN_TEXT

MAX_BYTES = 25_000_000
"""Larger files are skipped."""

CSV = "text/csv"
PDF = "application/pdf"
EML = "message/rfc822"
_OPENXML = "application/vnd.openxmlformats-officedocument"
DOCX = f"{_OPENXML}.wordprocessingml.document"
PPTX = f"{_OPENXML}.presentationml.presentation"
XLSX = f"{_OPENXML}.spreadsheetml.sheet"
_GOOGLE = "application/vnd.google-apps."
_DOCUMENT = f"{_GOOGLE}document"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read: exported in the first of `exports` that works, or downloaded as `media_type`."""

    kind: str
    media_type: str = ""
    exports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    body: str | bytes
    media_type: str


_EXPORTED = {
    _DOCUMENT: Reading("document", exports=(MARKDOWN, HTML, PLAIN_TEXT)),
    f"{_GOOGLE}spreadsheet": Reading("spreadsheet", exports=(XLSX, CSV)),
    f"{_GOOGLE}presentation": Reading("presentation", exports=(PPTX, PLAIN_TEXT)),
}
_KINDS = {PDF: "pdf", PPTX: "presentation", XLSX: "spreadsheet", CSV: "spreadsheet"}
_SPREADSHEET_TEXT = {CSV, "text/tab-separated-values"}
_TEXT_TYPES = {
    "application/json",
    "application/xml",
    "application/xhtml+xml",
    "application/yaml",
    "application/x-yaml",
}
_SYNONYMS = {
    "text/x-markdown": MARKDOWN,
    "application/xhtml+xml": HTML,
    "application/csv": CSV,
    "application/x-pdf": PDF,
}
_BY_EXTENSION = {
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".txt": PLAIN_TEXT,
    ".text": PLAIN_TEXT,
    ".log": PLAIN_TEXT,
    ".rst": PLAIN_TEXT,
    ".htm": HTML,
    ".html": HTML,
    ".csv": CSV,
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".pdf": PDF,
    ".docx": DOCX,
    ".pptx": PPTX,
    ".xlsx": XLSX,
    ".eml": EML,
}
_VAGUE = {"", "application/octet-stream", "binary/octet-stream", PLAIN_TEXT, "application/zip"}
"""What uploaders say who do not know better: the extension of the name decides."""
_BINARY = {PDF: b"%PDF-", DOCX: b"PK", PPTX: b"PK", XLSX: b"PK"}
"""Media types that are not text, and what their files begin with."""
_BEGINNING = 1_024
"""Bytes in which a PDF may begin (ISO 32000-1, implementation note 13)."""
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")

_DATA_URI = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,[A-Za-z0-9+/=\s]{20,}")
_MARKDOWN_IMAGE_DEFINITION = re.compile(r"(?m)^\[[^\]\n]+\]:[ \t]*<?data:[^>\n]*>?[ \t]*\n?")
_META_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def reading(mime_type: str, name: str) -> Reading | None:
    """How a file of this type and name is read; None if it has no text that can be."""
    mime_type = mime_type.partition(";")[0].strip().lower()
    if exported := _EXPORTED.get(mime_type):
        return exported
    if mime_type in _VAGUE:
        mime_type = _BY_EXTENSION.get(PurePath(name.strip().lower()).suffix, mime_type)
    media_type = _SYNONYMS.get(mime_type, mime_type)
    if media_type.startswith("text/") or media_type in _TEXT_TYPES or media_type in _BINARY or media_type == EML:
        return Reading(_KINDS.get(media_type, "file"), media_type)
    return None


def is_google_document(mime_type: str) -> bool:
    """Whether a file is a Google Docs document."""
    return mime_type == _DOCUMENT


def reason_to_skip(file: File) -> str | None:
    """Why a file is not read, as far as its metadata tell; None if it is."""
    if file.mime_type == SHORTCUT:
        return None
    how = reading(file.mime_type, file.name)
    if how is None:
        return f"unsupported type: {file.mime_type or 'unknown'}"
    if not how.exports and file.size == 0:
        return "empty"
    if not how.exports and file.size is not None and file.size > MAX_BYTES:
        return too_large(file.size)
    if file.capabilities and file.capabilities.can_download is False:
        return "its owner has disabled download"
    return None


def too_large(size: int) -> str:
    return f"too large: {size / 1e6:.1f} MB, more than {MAX_BYTES / 1e6:.0f} MB"


def content(data: bytes, media_type: str) -> Content | None:
    """Bytes as content of a document: text decoded, other files as they are. None if there is nothing in it.

    A file whose bytes are not of its type but are text (mislabelled by whoever uploaded it) is text.
    """
    if not data.strip():
        return None
    if media_type in _BINARY:
        text = None if is_as_labelled(data, media_type) else _plain_text(data)
        return Content(data, media_type) if text is None else _as_text(text, PLAIN_TEXT)
    if media_type == EML:
        return Content(data, media_type)
    text = decoded(data, media_type)
    if media_type in _SPREADSHEET_TEXT:
        return Content(text.encode(), media_type) if text.strip() else None
    return _as_text(text, media_type)


def is_as_labelled(data: bytes, media_type: str) -> bool:
    """Whether bytes begin as files of this media type do."""
    mark = _BINARY.get(media_type)
    if mark is None:
        return True
    return mark in data[:_BEGINNING] if media_type == PDF else data.startswith((mark, _OLE))


def decoded(data: bytes, media_type: str) -> str:
    """Text by its byte order mark, as UTF-8, by what HTML says of itself, or else as Windows-1252."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode(_declared(data) if media_type == HTML else "cp1252", errors="replace")


def title(name: str) -> str:
    """A file's name on one line."""
    printable = "".join(character if character.isprintable() else " " for character in name)
    return " ".join(printable.split()) or "Untitled"


def _as_text(text: str, media_type: str) -> Content | None:
    text = _without_embedded_images(text, media_type)
    return Content(text, media_type) if text.strip() else None


def _without_embedded_images(text: str, media_type: str) -> str:
    """Exports carry pictures as base64, which would drown the words."""
    if "data:" not in text or media_type not in (MARKDOWN, HTML):
        return text
    if media_type == MARKDOWN:
        text = _MARKDOWN_IMAGE_DEFINITION.sub("", text)
    return _DATA_URI.sub("", text)


def _plain_text(data: bytes) -> str | None:
    """Bytes as text if they are UTF-8 without control characters of binary files."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _declared(data: bytes) -> str:
    found = _META_CHARSET.search(data[:_BEGINNING])
    try:
        return codecs.lookup(found[1].decode()).name if found else "cp1252"
    except LookupError:
        return "cp1252"
