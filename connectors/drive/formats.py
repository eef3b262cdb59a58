"""Which format a file is read in, and its bytes as content. Pure: all decisions about Drive's formats are here.

Source of the export formats: https://developers.google.com/workspace/drive/api/guides/ref-export-formats
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from connectors import media
from connectors.drive.payloads import DriveFile
from connectors.media import CSV, EML, PDF, PPTX, TSV, XLSX
from connectors.model import HTML, MARKDOWN, PLAIN_TEXT

MAX_BYTES = 25_000_000
"""Larger files are skipped."""

_GOOGLE = "application/vnd.google-apps."
_DOCUMENT = f"{_GOOGLE}document"


class SkipFile(Exception):
    """A file is passed over on purpose; `reason` is for the ledger."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class FormatPlan:
    """How a file is read: exported in the first of `exports` that works, or downloaded as `media_type`."""

    kind: str
    media_type: str = ""
    exports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileContent:
    """Text, or the bytes of a file."""

    body: str | bytes
    media_type: str


_EXPORTED = {
    _DOCUMENT: FormatPlan("document", exports=(MARKDOWN, HTML, PLAIN_TEXT)),
    f"{_GOOGLE}spreadsheet": FormatPlan("spreadsheet", exports=(XLSX, CSV)),
    f"{_GOOGLE}presentation": FormatPlan("presentation", exports=(PPTX, PLAIN_TEXT)),
}
_KINDS = {PDF: "pdf", PPTX: "presentation", XLSX: "spreadsheet", CSV: "spreadsheet"}
_SPREADSHEET_TEXT = {CSV, TSV}
_SYNONYMS = {
    "text/x-markdown": MARKDOWN,
    "application/xhtml+xml": HTML,
    "application/csv": CSV,
    "application/x-pdf": PDF,
}
_META_WITHIN = 1_024
"""Bytes in which HTML declares its encoding: https://html.spec.whatwg.org/multipage/semantics.html#charset"""

_DATA_URI = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,[A-Za-z0-9+/=\s]{20,}")
_MARKDOWN_IMAGE_DEFINITION = re.compile(r"(?m)^\[[^\]\n]+\]:[ \t]*<?data:[^>\n]*>?[ \t]*\n?")
_META_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
# UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def plan_format(mime_type: str, name: str) -> FormatPlan | None:
    """How a file of this type and name is read; None if it has no text that can be."""
    mime_type = mime_type.partition(";")[0].strip().lower()
    if exported := _EXPORTED.get(mime_type):
        return exported
    if mime_type in media.VAGUE:
        mime_type = media.by_name(name) or mime_type
    media_type = _SYNONYMS.get(mime_type, mime_type)
    return FormatPlan(_KINDS.get(media_type, "file"), media_type) if media.has_text(media_type) else None


def is_google_document(mime_type: str) -> bool:
    """Whether a file is a Google Docs document."""
    return mime_type == _DOCUMENT


def plan_file(file: DriveFile) -> FormatPlan:
    """How a file is read. Raises SkipFile where its metadata say that it cannot be."""
    plan = plan_format(file.mime_type, file.name)
    if plan is None:
        raise SkipFile(f"unsupported type: {file.mime_type or 'unknown'}")
    if not plan.exports and file.size is not None and file.size > MAX_BYTES:
        raise SkipFile(too_large(file.size))
    if file.capabilities and file.capabilities.can_download is False:
        raise SkipFile("its owner has disabled download")
    return plan


def too_large(size: int) -> str:
    return f"too large: {size / 1e6:.1f} MB, more than {MAX_BYTES / 1e6:.0f} MB"


def parse_content(data: bytes, media_type: str) -> FileContent | None:
    """Bytes as content of a document: text decoded, other files as they are. None if there is nothing in it.

    A file whose bytes are not of its type but are text (mislabelled where it was uploaded) is text.
    """
    if not data.strip():
        return None
    if media.is_binary(media_type):
        text = None if media.begins_as(data, media_type) else _plain_text(data)
        return FileContent(data, media_type) if text is None else _as_text(text, PLAIN_TEXT)
    if media_type == EML:
        return FileContent(data, media_type)
    text = decode(data, media_type)
    if media_type in _SPREADSHEET_TEXT:
        return FileContent(text.encode(), media_type) if text.strip() else None
    return _as_text(text, media_type)


def decode(data: bytes, media_type: str) -> str:
    """Text by its byte order mark, as UTF-8, by what HTML declares of itself, or else as Windows-1252."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode(_declared_encoding(data) if media_type == HTML else "cp1252", errors="replace")


def title(name: str) -> str:
    """A file's name on one line."""
    printable = "".join(character if character.isprintable() else " " for character in name)
    return " ".join(printable.split()) or "Untitled"


def _as_text(text: str, media_type: str) -> FileContent | None:
    text = _without_embedded_images(text, media_type)
    return FileContent(text, media_type) if text.strip() else None


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


def _declared_encoding(data: bytes) -> str:
    found = _META_CHARSET.search(data[:_META_WITHIN])
    try:
        return codecs.lookup(found[1].decode()).name if found else "cp1252"
    except LookupError:
        return "cp1252"
