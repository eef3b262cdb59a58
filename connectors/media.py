"""Media types of the files that people keep: by what is declared, by name, and by content together. Pure."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from functools import cache
from pathlib import PurePosixPath

from connectors.decoding import UnknownEncoding, decode
from connectors.model import HTML, MARKDOWN, PLAIN_TEXT
from connectors.pictures import PICTURE_EXTENSIONS, PICTURE_SYNONYMS, is_picture, picture_by_content
from connectors.zero_bytes import find_wide_encoding, has_wide_mark

CSV = "text/csv"
TSV = "text/tab-separated-values"
CALENDAR = "text/calendar"
JSON = "application/json"
XML = "application/xml"
YAML = "application/yaml"
RTF = "application/rtf"
EML = "message/rfc822"
PDF = "application/pdf"
_OPENXML = "application/vnd.openxmlformats-officedocument"
DOCX = f"{_OPENXML}.wordprocessingml.document"
PPTX = f"{_OPENXML}.presentationml.presentation"
XLSX = f"{_OPENXML}.spreadsheetml.sheet"
OLE = "application/x-ole-storage"
"""An Office file from before 2007, or a later one with a password."""

BY_EXTENSION: Mapping[str, str] = {
    **dict.fromkeys(("md", "markdown", "mdown", "mkd", "mdx"), MARKDOWN),
    **dict.fromkeys(("txt", "text", "log", "rst", "adoc", "asciidoc", "org", "tex"), PLAIN_TEXT),
    **dict.fromkeys(("html", "htm", "xhtml"), HTML),
    **dict.fromkeys(("yaml", "yml"), YAML),
    **dict.fromkeys(("json", "jsonl", "ndjson"), JSON),
    **dict.fromkeys(("eml", "mht", "mhtml"), EML),
    **dict.fromkeys(("tsv", "tab"), TSV),
    "csv": CSV,
    "ics": CALENDAR,
    "xml": XML,
    "rtf": RTF,
    "pdf": PDF,
    "docx": DOCX,
    "pptx": PPTX,
    "xlsx": XLSX,
}
"""In lower case and without the dot. Slack's `filetype` uses the same words."""

VAGUE = frozenset(
    {"", PLAIN_TEXT, "application/octet-stream", "binary/octet-stream", "application/x-download"}
    | {"application/zip", "application/x-zip-compressed", "application/force-download", "application/download"}
    # Windows declares CSV as Excel's, and Word saves RTF and HTML under its own extension.
    | {"application/vnd.ms-excel", "application/msword", "application/x-msword"}
)
"""What uploaders declare who do not know better: the extension of the name and the content say more."""

_SYNONYMS: Mapping[str, str] = {
    **dict.fromkeys(("text/x-markdown", "text/md"), MARKDOWN),
    **dict.fromkeys(("application/xhtml+xml", "application/vnd.wap.xhtml+xml"), HTML),
    **dict.fromkeys(("application/csv", "application/x-csv", "text/x-csv", "text/comma-separated-values"), CSV),
    **dict.fromkeys(("text/tsv", "application/tsv"), TSV),
    **dict.fromkeys(("application/x-pdf", "text/pdf"), PDF),
    **dict.fromkeys(("text/rtf", "application/x-rtf", "text/richtext"), RTF),
    **dict.fromkeys(("text/json", "application/x-json", "application/x-ndjson", "application/jsonl"), JSON),
    **dict.fromkeys(("text/xml",), XML),
    **dict.fromkeys(("text/yaml", "text/x-yaml", "application/x-yaml"), YAML),
    **dict.fromkeys(("multipart/related", "multipart/mixed", "application/x-mimearchive", "application/eml"), EML),
    "application/ics": CALENDAR,
    **PICTURE_SYNONYMS,
}
_TEXT = frozenset({JSON, XML, YAML, "application/javascript", "application/sql", "application/x-sh"})
"""Media types of text that do not begin with `text/`."""
_FILES = frozenset({RTF, EML})
"""Files that say themselves how their text is encoded."""

_NO_TEXT = frozenset({"zip", "bin", "exe", "dll", "iso", "dmg", "jar", "db", "sqlite", "parquet", "msg", "psd", "heic"})
"""Extensions of what is not loaded to look at it, beside those that the standard library knows."""

_ZIP = b"PK"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_MAGIC: Mapping[str, tuple[bytes, ...]] = {
    PDF: (b"%PDF-",),
    DOCX: (_ZIP, _OLE),
    PPTX: (_ZIP, _OLE),
    XLSX: (_ZIP, _OLE),
}
_PDF_HEADER_WITHIN = 1_024
"""Bytes in which a PDF may begin (ISO 32000-1, implementation note 13)."""
_LOOKED_AT = 20_000
"""Bytes in which the headers of a mail, and the beginning of a page, are looked for."""
_PARTS = {b"word": DOCX, b"ppt": PPTX, b"xl": XLSX}
# An entry of a zip's central directory: its name stands 46 bytes after the signature (APPNOTE.TXT 4.3.12).
_PART = re.compile(rb"PK\x01\x02.{42}(word|ppt|xl)/", re.DOTALL)
_RTF = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{\\rtf")
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,1000}?-->\s*)?<(?:!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)
_HEADER_BLOCK = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:From [^\n]*\n)?((?:[!-9;-~]+:[^\n]*\n(?:[ \t]+[^\n]*\n)*)+)")
_HEADER_NAME = re.compile(rb"^([!-9;-~]+):", re.MULTILINE)
_PEOPLE_WRITE = frozenset({b"from", b"to", b"subject", b"date"})
_PROGRAMS_WRITE = frozenset(
    {b"mime-version", b"message-id", b"received", b"return-path", b"content-type", b"delivered-to", b"dkim-signature"}
)


def by_name(name: str) -> str | None:
    """Media type by the extension of a file's name or path; None for an unknown one."""
    return BY_EXTENSION.get(_extension(name))


def by_content(data: bytes) -> str | None:
    """Media type by what a file begins with; None where that tells none that is read."""
    if data.startswith(_ZIP):
        found = _PART.search(data)
        return _PARTS[found[1]] if found else None
    if is_ole(data):
        return OLE
    if data.lstrip()[:5] == _MAGIC[PDF][0]:
        return PDF
    if _RTF.match(data):
        return RTF
    return EML if _begins_as_mail(data[:_LOOKED_AT]) else None


def is_ole(data: bytes) -> bool:
    """Whether a file begins as Office files from before 2007 do, and later ones with a password."""
    return data.startswith(_OLE)


def declared_type(declared: str) -> str:
    """A declared media type without its parameters, under the one name by which it is known here."""
    media_type = declared.partition(";")[0].strip().lower()
    return _SYNONYMS.get(media_type, media_type)


def expected_type(declared: str, name: str, *, pictures: bool = False) -> str | None:
    """Media type as far as it is known without content: empty where only the content can tell, None where nothing of
    it is read. Files that are pictures are read only where `pictures` says so."""
    media_type = declared_type(declared)
    if media_type not in VAGUE:
        return media_type if has_text(media_type) or (pictures and is_picture(media_type)) else None
    if named := by_name(name):
        return named
    if pictures and (picture := PICTURE_EXTENSIONS.get(_extension(name))):
        return picture
    if media_type == PLAIN_TEXT:
        return PLAIN_TEXT
    guessed, packing = _name_table().guess_type(f"file.{_extension(name)}")
    is_other = guessed and not has_text(guessed) and guessed not in VAGUE
    return None if packing or is_other or _extension(name) in _NO_TEXT else ""


def resolve_type(declared: str, name: str, data: bytes, *, pictures: bool = False) -> str | None:
    """Media type as which a file is read; None for one without text. A file's own beginning says most."""
    expected = expected_type(declared, name, pictures=pictures)
    if expected is None:
        return None
    found = by_content(data) or (picture_by_content(data) if pictures else None)
    if found == EML and expected not in ("", PLAIN_TEXT):
        found = None  # the headers of a mail stand at the top of many a note
    if found == OLE and is_binary(expected):
        return expected  # its reader says whether it is encrypted or old
    return found or _type_of_rest(expected, name, data)


def _type_of_rest(expected: str, name: str, data: bytes) -> str | None:
    """Media type of a file whose beginning is of no format with a signature, or deep inside."""
    is_certain = expected and begins_as(data, expected) and expected != RTF
    if is_certain and (expected != PLAIN_TEXT or by_name(name)):
        return expected
    if _HTML.match(data[:_LOOKED_AT]):
        return HTML
    if expected == PLAIN_TEXT or _is_text(data):
        return PLAIN_TEXT
    return expected or None


def _is_text(data: bytes) -> bool:
    """Whether a file that nothing but its content tells of is a text: then no zero byte is taken for a stray one."""
    if b"\0" in data and not (has_wide_mark(data) or find_wide_encoding(data)):
        return False
    try:
        return "\0" not in decode(data)
    except UnknownEncoding:
        return False


def _begins_as_mail(data: bytes) -> bool:
    """Whether a file begins with headers that programs write; of those that people write alone, a note may be made."""
    block = _HEADER_BLOCK.match(data)
    names = {name.lower() for name in _HEADER_NAME.findall(block[1])} if block else set()
    return bool(names & _PEOPLE_WRITE and names & _PROGRAMS_WRITE)


def has_text(media_type: str) -> bool:
    """Whether files of this type hold text that can be read."""
    media_type = _SYNONYMS.get(media_type, media_type)
    is_structured = media_type.endswith(("+json", "+xml")) and not media_type.startswith("image/")
    is_text = media_type.startswith("text/") or media_type in _TEXT or is_structured
    return is_text or is_file(media_type)


def is_file(media_type: str) -> bool:
    """Whether a file is kept as its bytes, from which its reader makes text."""
    return media_type in _FILES or is_binary(media_type)


def is_binary(media_type: str) -> bool:
    """Whether a file that holds text holds it in a binary format: a PDF, a file of an office suite."""
    return media_type in _MAGIC


def begins_as(data: bytes, media_type: str) -> bool:
    """Whether `data` begins as files of this type do; true of every type without such a beginning."""
    if media_type == PDF:
        return any(magic in data[:_PDF_HEADER_WITHIN] for magic in _MAGIC[PDF])
    if is_picture(media_type):
        return picture_by_content(data) is not None
    return data.startswith(_MAGIC.get(media_type, b""))


@cache
def _name_table() -> mimetypes.MimeTypes:
    """What the standard library knows; what the machine knows beside would differ from one to the next."""
    return mimetypes.MimeTypes(filenames=())


def _extension(name: str) -> str:
    return PurePosixPath(name.strip()).suffix.removeprefix(".").lower()
