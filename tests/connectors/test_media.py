"""Media types by name, and by the first bytes."""

from __future__ import annotations

import io
import zipfile

import pytest

from connectors.media import (
    CALENDAR,
    CSV,
    DOCX,
    EML,
    JSON,
    OLE,
    PDF,
    PPTX,
    RTF,
    TSV,
    VAGUE,
    XLSX,
    XML,
    YAML,
    begins_as,
    by_name,
    has_text,
    is_binary,
    resolve_type,
)
from connectors.model import HTML, MARKDOWN, PLAIN_TEXT
from connectors.pictures import BMP, HEIC, JPEG, PICTURE_EXTENSIONS, PICTURE_SYNONYMS, PNG, TIFF


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("README.md", MARKDOWN),
        ("docs/Guide.MDX", MARKDOWN),
        ("notes.text", PLAIN_TEXT),
        ("a.b.htm", HTML),
        ("table.csv", CSV),
        ("table.tsv", TSV),
        ("data.json", JSON),
        ("data.xml", XML),
        ("values.yml", YAML),
        ("mail.eml", EML),
        ("Plan.PDF ", PDF),
        ("Plan.docx", DOCX),
        ("Plan.pptx", PPTX),
        ("Plan.xlsx", XLSX),
        ("picture.png", None),
        ("docs.md/LICENSE", None),
        ("letter.rtf", RTF),
        ("page.mht", EML),
        ("invitation.ics", CALENDAR),
        (".md", None),
        ("dot.", None),
        ("", None),
    ],
)
def test_a_name_tells_its_media_type(name: str, expected: str | None) -> None:
    assert by_name(name) == expected


@pytest.mark.parametrize(
    ("media_type", "text", "binary"),
    [
        (PLAIN_TEXT, True, False),
        ("text/x-python", True, False),
        (JSON, True, False),
        ("application/xhtml+xml", True, False),
        ("application/x-yaml", True, False),
        (EML, True, False),
        (PDF, True, True),
        (XLSX, True, True),
        ("image/png", False, False),
        ("application/zip", False, False),
        ("", False, False),
    ],
)
def test_which_types_hold_text(media_type: str, text: bool, binary: bool) -> None:
    assert (has_text(media_type), is_binary(media_type)) == (text, binary)


OLE_FILE = bytes.fromhex("d0cf11e0a1b11ae1")


@pytest.mark.parametrize(
    ("data", "media_type", "expected"),
    [
        (b"%PDF-1.7", PDF, True),
        (b"x" * 1_019 + b"%PDF-", PDF, True),
        (b"x" * 1_020 + b"%PDF-", PDF, False),
        (b"PK\x03\x04", PDF, False),
        (b"PK\x03\x04", DOCX, True),
        (OLE_FILE, PPTX, True),
        (b" PK\x03\x04", XLSX, False),
        (b"words", XLSX, False),
        (b"", XLSX, False),
        (b"anything", PLAIN_TEXT, True),
    ],
)
def test_the_first_bytes_tell_whether_a_file_is_what_it_claims(data: bytes, media_type: str, expected: bool) -> None:
    assert begins_as(data, media_type) is expected


def test_what_says_little_is_still_text_or_unknown() -> None:
    assert {one for one in VAGUE if has_text(one)} == {PLAIN_TEXT}


def _openxml(part: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(part, "<x/>")
    return buffer.getvalue()


WORD, SLIDES, SHEET = (_openxml(part) for part in ("word/document.xml", "ppt/presentation.xml", "xl/workbook.xml"))
LETTER = rb"{\rtf1\ansi Dear all.\par}"
SENT = b"Received: from a.test\r\nFrom: ada@a.test\r\nSubject: Water\r\n\r\nDear all"
PAGE = b"<!DOCTYPE html><html><body>Dear all</body></html>"
STREAM = "application/octet-stream"


@pytest.mark.parametrize(
    ("declared", "name", "data", "expected"),
    [
        # what vague declarations hold, by content
        *(
            (declared, name, LETTER, RTF)
            for declared in ("", STREAM, PLAIN_TEXT, RTF)
            for name in ("a", "a.txt", "a.rtf")
        ),
        *((declared, "a", SENT, EML) for declared in ("", STREAM, PLAIN_TEXT)),
        *((declared, "a", b"%PDF-1.7 ...", PDF) for declared in ("", STREAM, PLAIN_TEXT, "application/zip")),
        *((STREAM, "a", data, found) for data, found in ((WORD, DOCX), (SLIDES, PPTX), (SHEET, XLSX))),
        (PLAIN_TEXT, "a.txt", WORD, DOCX),
        ("application/zip", "a", SHEET, XLSX),
        (STREAM, "a", PAGE, HTML),
        (PLAIN_TEXT, "a", PAGE, HTML),
        ("application/msword", "a.doc", LETTER, RTF),
        ("application/msword", "a.doc", PAGE, HTML),
        ("application/msword", "a.doc", OLE_FILE, OLE),
        ("application/vnd.ms-excel", "a.csv", b"a;b", CSV),
        (STREAM, "a", "Dear all, grüß Gott".encode(), PLAIN_TEXT),
        (STREAM, "a", "Dear all".encode("utf-16"), PLAIN_TEXT),
        (STREAM, "notes.md", b"# Plan", MARKDOWN),
        (STREAM, "a", b"\x00\x01\x02\xfe\xff\x9d", None),
        (STREAM, "a", _openxml("other/part.xml"), None),
        # what is declared or named is not overruled by what only looks like another format
        (PLAIN_TEXT, "page.txt", PAGE, PLAIN_TEXT),
        (MARKDOWN, "a.md", SENT, MARKDOWN),
        (PLAIN_TEXT, "a.txt", b"From: Ada\nSubject: Water\nAgenda: mills\n\nDear all", PLAIN_TEXT),
        ("text/x-python", "a.html", b"print()", "text/x-python"),
        # files that are not what they claim
        (PDF, "a.pdf", b"Just words.", PLAIN_TEXT),
        (PDF, "a.pdf", PAGE, HTML),
        (PDF, "a.pdf", b"\xff\x00 broken", PDF),
        (DOCX, "a.docx", LETTER, RTF),
        (DOCX, "a.docx", SHEET, XLSX),
        (DOCX, "a.docx", OLE_FILE, DOCX),
        (RTF, "a.rtf", b"Just words.", PLAIN_TEXT),
        # what is passed over
        ("image/png", "a.txt", b"Dear all", None),
        (STREAM, "a.png", b"Dear all", None),
        (STREAM, "a.tar.gz", b"Dear all", None),
        ("application/zip", "a.zip", WORD, None),
    ],
)
def test_declaration_name_and_content_together(declared: str, name: str, data: bytes, expected: str | None) -> None:
    assert resolve_type(declared, name, data) == expected


PICTURES = {
    PNG: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    JPEG: b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    TIFF: b"II*\0\x08\0\0\0",
    BMP: b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
    HEIC: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
}


@pytest.mark.parametrize(
    ("declared", "name", "data", "expected"),
    [
        *((media_type, "a", data, media_type) for media_type, data in PICTURES.items()),
        *((STREAM, "a", data, media_type) for media_type, data in PICTURES.items()),
        *((PLAIN_TEXT, "a.txt", data, media_type) for media_type, data in PICTURES.items()),
        *(("", f"a.{ext.upper()}", PICTURES[found], found) for ext, found in PICTURE_EXTENSIONS.items()),
        *((declared, "a", PICTURES[found], found) for declared, found in PICTURE_SYNONYMS.items()),
        ("", "a.tif", b"MM\0*\0\0\0\x08", TIFF),
        ("image/PNG; q=1", "a.png", PICTURES[PNG], PNG),
        # files that are not what they claim
        (PNG, "a.png", PICTURES[JPEG], JPEG),
        (PDF, "a.pdf", PICTURES[TIFF], TIFF),
        (PNG, "a.png", b"%PDF-1.7 ...", PDF),
        ("", "a.png", b"%PDF-1.7 ...", PDF),
        (PNG, "a.png", WORD, DOCX),
        (PNG, "a.png", PAGE, HTML),
        (PNG, "a.png", b"Just words.", PLAIN_TEXT),
        (PNG, "a.png", b"\xff\x00 broken", PNG),
        (PLAIN_TEXT, "cars.txt", b"BMW and others, since 1916", PLAIN_TEXT),
        # pictures that no API reads
        ("image/gif", "a.gif", b"GIF89a", None),
        ("image/svg+xml", "a.svg", b"<svg/>", None),
        (STREAM, "a.webp", b"RIFF\0\0\0\0WEBP", None),
    ],
)
def test_pictures_where_they_are_read(declared: str, name: str, data: bytes, expected: str | None) -> None:
    assert resolve_type(declared, name, data, pictures=True) == expected


@pytest.mark.parametrize(("media_type", "data"), PICTURES.items())
def test_pictures_where_they_are_not_read(media_type: str, data: bytes) -> None:
    assert resolve_type(media_type, "a", data) is None
    assert resolve_type(STREAM, "a", data) is None
