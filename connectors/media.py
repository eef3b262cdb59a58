"""Media types of the files that people keep: by a name's extension, and by the bytes that a file begins with. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from connectors.model import HTML, MARKDOWN, PLAIN_TEXT

CSV = "text/csv"
TSV = "text/tab-separated-values"
JSON = "application/json"
XML = "application/xml"
YAML = "application/yaml"
EML = "message/rfc822"
PDF = "application/pdf"
_OPENXML = "application/vnd.openxmlformats-officedocument"
DOCX = f"{_OPENXML}.wordprocessingml.document"
PPTX = f"{_OPENXML}.presentationml.presentation"
XLSX = f"{_OPENXML}.spreadsheetml.sheet"

BY_EXTENSION: Mapping[str, str] = {
    **dict.fromkeys(("md", "markdown", "mdown", "mkd", "mdx"), MARKDOWN),
    **dict.fromkeys(("txt", "text", "log", "rst"), PLAIN_TEXT),
    **dict.fromkeys(("html", "htm"), HTML),
    **dict.fromkeys(("yaml", "yml"), YAML),
    "csv": CSV,
    "tsv": TSV,
    "json": JSON,
    "xml": XML,
    "eml": EML,
    "pdf": PDF,
    "docx": DOCX,
    "pptx": PPTX,
    "xlsx": XLSX,
}
"""In lower case and without the dot. Slack's `filetype` uses the same words."""

VAGUE = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/zip", PLAIN_TEXT})
"""What uploaders declare who do not know better: the extension of the name says more."""

_TEXT = frozenset({JSON, XML, YAML, "application/x-yaml", "application/xhtml+xml"})
"""Media types of text that do not begin with `text/`."""

_ZIP = b"PK"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # office files from before 2007 begin so, and later ones with a password
_MAGIC: Mapping[str, tuple[bytes, ...]] = {
    PDF: (b"%PDF-",),
    DOCX: (_ZIP, _OLE),
    PPTX: (_ZIP, _OLE),
    XLSX: (_ZIP, _OLE),
}
_PDF_HEADER_WITHIN = 1_024
"""Bytes in which a PDF may begin (ISO 32000-1, implementation note 13)."""


def by_name(name: str) -> str | None:
    """Media type by the extension of a file's name or path; None for an unknown one."""
    return BY_EXTENSION.get(PurePosixPath(name.strip()).suffix.removeprefix(".").lower())


def has_text(media_type: str) -> bool:
    """Whether files of this type hold text that can be read."""
    return media_type.startswith("text/") or media_type in _TEXT or media_type == EML or is_binary(media_type)


def is_binary(media_type: str) -> bool:
    """Whether a file that holds text holds it in a binary format: a PDF, a file of an office suite."""
    return media_type in _MAGIC


def begins_as(data: bytes, media_type: str) -> bool:
    """Whether `data` begins as files of this type do; true of every type without such a beginning."""
    if media_type == PDF:
        return any(magic in data[:_PDF_HEADER_WITHIN] for magic in _MAGIC[PDF])
    return data.startswith(_MAGIC.get(media_type, b""))
