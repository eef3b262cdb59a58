"""Media types by name, and by the first bytes."""

from __future__ import annotations

import pytest

from connectors.media import (
    CSV,
    DOCX,
    EML,
    JSON,
    PDF,
    PPTX,
    TSV,
    VAGUE,
    XLSX,
    XML,
    YAML,
    begins_as,
    by_name,
    has_text,
    is_binary,
)
from connectors.model import HTML, MARKDOWN, PLAIN_TEXT


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


OLE = bytes.fromhex("d0cf11e0a1b11ae1")


@pytest.mark.parametrize(
    ("data", "media_type", "expected"),
    [
        (b"%PDF-1.7", PDF, True),
        (b"x" * 1_019 + b"%PDF-", PDF, True),
        (b"x" * 1_020 + b"%PDF-", PDF, False),
        (b"PK\x03\x04", PDF, False),
        (b"PK\x03\x04", DOCX, True),
        (OLE, PPTX, True),
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
