"""The bytes of a file as content of a document."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.file_content import EmptyFile, FileContent, SkipFile, parse_content, read_content
from connectors.media import CSV, DOCX, EML, PDF, RTF, XLSX
from connectors.model import PLAIN_TEXT

OLE_FILE = bytes.fromhex("d0cf11e0a1b11ae1")


@pytest.mark.parametrize(
    ("data", "declared", "expected"),
    [
        ("Grüße – 你好".encode(), PLAIN_TEXT, "Grüße – 你好"),
        (codecs.BOM_UTF16_LE + "a;ü".encode("utf-16-le"), CSV, "a;ü"),
        ("Łódź".encode("iso8859-2"), "text/plain; charset=iso-8859-2", "Łódź"),
        (b"Look: data:image/png;base64,iVBORw0KGgo= there", PLAIN_TEXT, "Look:  there"),
    ],
)
def test_text_is_decoded_and_clean(data: bytes, declared: str, expected: str) -> None:
    assert read_content(data, declared, "").body == expected


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"\n\n%PDF-1.7 ...", PDF),
        (b"PK\x03\x04...", XLSX),
        (OLE_FILE, DOCX),
        (b"From: a@b.c\r\n\r\nHello", EML),
        (rb"{\rtf1 Hello}", RTF),
    ],
)
def test_files_stay_bytes(data: bytes, media_type: str) -> None:
    assert read_content(data, media_type, "") == FileContent(data, media_type)


@pytest.mark.parametrize(("data", "declared"), [(b" \r\n", PLAIN_TEXT), (codecs.BOM_UTF8 + b" \n", CSV), (b"", PDF)])
def test_what_holds_nothing_is_left_to_its_name(data: bytes, declared: str) -> None:
    assert read_content(data, declared, "plan") == FileContent("", declared)


def test_pictures_stay_bytes_where_they_are_read() -> None:
    data = b"\x89PNG\r\n\x1a\n..."
    assert read_content(data, "image/png", "", pictures=True) == FileContent(data, "image/png")


@pytest.mark.parametrize(
    ("data", "declared", "reason"),
    [
        (b"x", "image/png", "unsupported type: image/png"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "application/msword",
            "unsupported type: an Office file from before 2007",
        ),
        (bytes(range(256)), PLAIN_TEXT, "unknown encoding: its bytes are a text in no known one"),
    ],
)
def test_what_is_skipped_says_why(data: bytes, declared: str, reason: str) -> None:
    with pytest.raises(SkipFile) as caught:
        read_content(data, declared, "")
    assert caught.value.reason == reason


@given(st.binary(max_size=200), st.sampled_from([PDF, XLSX, CSV, EML, RTF, PLAIN_TEXT, "text/html", ""]))
def test_any_bytes_are_content_or_skipped(data: bytes, media_type: str) -> None:
    try:
        found = read_content(data, media_type, "")
    except SkipFile:
        return
    if data.strip() and not found.body:  # it is left to its name
        with pytest.raises(EmptyFile):
            parse_content(data, found.media_type, media_type)
