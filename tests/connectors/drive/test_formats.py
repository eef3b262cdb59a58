"""Which format a file is read in, and what its bytes are."""

from __future__ import annotations

import base64
import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.drive import formats
from connectors.drive.formats import FileContent, SkipFile, parse_content, plan_file, plan_format, title
from connectors.drive.payloads import DriveFile, FileCapabilities
from connectors.media import CSV, DOCX, EML, PDF, PPTX, XLSX

GOOGLE = "application/vnd.google-apps."


@pytest.mark.parametrize(
    ("mime_type", "name", "kind", "media_types"),
    [
        (f"{GOOGLE}document", "Plan", "document", ("text/markdown", "text/html", "text/plain")),
        (f"{GOOGLE}spreadsheet", "Budget", "spreadsheet", (XLSX, CSV)),
        (f"{GOOGLE}presentation", "Deck", "presentation", (PPTX, "text/plain")),
        (PDF, "a.pdf", "pdf", (PDF,)),
        ("application/x-pdf", "a", "pdf", (PDF,)),
        (DOCX, "a.docx", "file", (DOCX,)),
        (PPTX, "a.pptx", "presentation", (PPTX,)),
        (XLSX, "a.xlsx", "spreadsheet", (XLSX,)),
        (CSV, "a.csv", "spreadsheet", (CSV,)),
        ("text/plain", "a.csv", "spreadsheet", (CSV,)),
        ("text/plain", "notes.MD", "file", ("text/markdown",)),
        ("text/plain", "notes", "file", ("text/plain",)),
        ("text/plain; charset=utf-8", "notes.txt", "file", ("text/plain",)),
        ("text/x-markdown", "notes", "file", ("text/markdown",)),
        ("TEXT/HTML", "page", "file", ("text/html",)),
        ("text/x-python", "a.py", "file", ("text/x-python",)),
        ("application/json", "a.json", "file", ("application/json",)),
        ("application/octet-stream", "scan.PDF", "pdf", (PDF,)),
        ("application/zip", "word.docx", "file", (DOCX,)),
        ("", "mail.eml", "file", (EML,)),
    ],
)
def test_how_a_file_is_read(mime_type: str, name: str, kind: str, media_types: tuple[str, ...]) -> None:
    how = plan_format(mime_type, name)
    assert how is not None
    assert (how.kind, how.exports or (how.media_type,)) == (kind, media_types)


@pytest.mark.parametrize(
    ("mime_type", "name"),
    [
        ("image/png", "a.png"),
        ("image/png", "a.txt"),
        ("video/mp4", "a.mp4"),
        ("application/zip", "a.zip"),
        ("application/octet-stream", "a"),
        ("application/msword", "a.doc"),
        (f"{GOOGLE}form", "Survey"),
        (f"{GOOGLE}drawing", "Sketch"),
        (f"{GOOGLE}unknown", "New"),
        ("", ""),
    ],
)
def test_what_has_no_text_is_skipped(mime_type: str, name: str) -> None:
    assert plan_format(mime_type, name) is None
    with pytest.raises(SkipFile, match="unsupported type: "):
        plan_file(DriveFile(id="1", name=name, mime_type=mime_type))


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (DriveFile(id="1", mime_type=PDF, size=25_000_001), "too large: 25.0 MB, more than 25 MB"),
        (
            DriveFile(id="1", mime_type=PDF, capabilities=FileCapabilities(can_download=False)),
            "its owner has disabled download",
        ),
    ],
)
def test_metadata_can_be_enough_to_skip(file: DriveFile, reason: str) -> None:
    with pytest.raises(SkipFile) as caught:
        plan_file(file)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        (DriveFile(id="1", mime_type=PDF, size=25_000_000), "pdf"),
        (DriveFile(id="1", mime_type=PDF, size=0), "pdf"),
        (DriveFile(id="1", mime_type=PDF), "pdf"),
        (DriveFile(id="1", mime_type=PDF, capabilities=FileCapabilities(can_download=True)), "pdf"),
        (DriveFile(id="1", mime_type=f"{GOOGLE}document", size=0), "document"),
        (DriveFile(id="1", mime_type=f"{GOOGLE}document", size=99_000_000), "document"),
    ],
)
def test_metadata_let_all_else_be_read(file: DriveFile, kind: str) -> None:
    assert plan_file(file).kind == kind


TEXT = "Grüße – 你好"


@pytest.mark.parametrize(
    ("data", "media_type", "expected"),
    [
        (TEXT.encode(), "text/plain", TEXT),
        (codecs.BOM_UTF8 + TEXT.encode(), "text/markdown", TEXT),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "text/plain", TEXT),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "text/plain", TEXT),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), "text/plain", TEXT),
        ("Grüße".encode("cp1252"), "text/plain", "Grüße"),
        (b'<meta charset="iso-8859-2">' + "Łódź".encode("iso-8859-2"), "text/html", '<meta charset="iso-8859-2">Łódź'),
        (b'<meta charset="no-such">\xfc', "text/html", '<meta charset="no-such">ü'),
        (codecs.BOM_UTF16_LE + "a;ü".encode("utf-16-le"), CSV, "a;ü".encode()),
    ],
)
def test_text_is_decoded(data: bytes, media_type: str, expected: str | bytes) -> None:
    assert parse_content(data, media_type) == FileContent(expected, media_type)


@pytest.mark.parametrize("data", [b"", b"  \n", codecs.BOM_UTF8, codecs.BOM_UTF8 + b" \r\n"])
@pytest.mark.parametrize("media_type", ["text/plain", CSV, "text/markdown"])
def test_nothing_is_empty(data: bytes, media_type: str) -> None:
    assert parse_content(data, media_type) is None


@pytest.mark.parametrize(
    ("data", "media_type", "expected"),
    [
        (b"%PDF-1.7 ...", PDF, FileContent(b"%PDF-1.7 ...", PDF)),
        (b"\n\n%PDF-1.7 ...", PDF, FileContent(b"\n\n%PDF-1.7 ...", PDF)),
        (b"PK\x03\x04...", XLSX, FileContent(b"PK\x03\x04...", XLSX)),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", DOCX, FileContent(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", DOCX)),
        (b"Just words.", PDF, FileContent("Just words.", "text/plain")),
        (b"\xff\x00 broken", PDF, FileContent(b"\xff\x00 broken", PDF)),
        (b"From: a@b.c\r\n\r\nHello", EML, FileContent(b"From: a@b.c\r\n\r\nHello", EML)),
    ],
)
def test_files_stay_bytes_unless_they_are_text(data: bytes, media_type: str, expected: FileContent) -> None:
    assert parse_content(data, media_type) == expected


def test_pictures_inside_exports_are_left_out() -> None:
    picture = "data:image/png;base64," + "iVBORw0KGgo" * 40
    markdown = f"# Plan\n\n![][image1]\n\nWords.\n\n[image1]: <{picture}>\n"
    found = parse_content(markdown.encode(), "text/markdown")
    assert found == FileContent("# Plan\n\n![][image1]\n\nWords.\n\n", "text/markdown")
    assert parse_content(f'<img src="{picture}"> Words.'.encode(), "text/html") == FileContent(
        '<img src=""> Words.', "text/html"
    )


@given(st.binary(max_size=200), st.sampled_from([PDF, XLSX, CSV, EML, "text/plain", "text/html", "text/markdown"]))
def test_any_bytes_are_content_or_nothing(data: bytes, media_type: str) -> None:
    found = parse_content(data, media_type)
    assert found is None or found.body


@pytest.mark.parametrize(
    ("name", "expected"),
    [("  Plan\n2026\t", "Plan 2026"), ("a\x00b\u202ec", "a b c"), ("", "Untitled"), ("\u200b", "Untitled")],
)
def test_titles_are_one_line(name: str, expected: str) -> None:
    assert title(name) == expected


def test_the_size_cap_is_stated() -> None:
    assert formats.too_large(30_000_000) == "too large: 30.0 MB, more than 25 MB"


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\ufeff"), min_size=1).filter(
        str.strip
    ),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_text_is_what_was_written_whatever_its_encoding(text: str, encoding: str) -> None:
    found = parse_content(text.encode(encoding), "text/plain")
    assert found is not None
    assert found.body == text


@given(st.text("ab#|\n *", max_size=80), st.binary(min_size=30, max_size=60))
def test_only_embedded_pictures_are_taken_out(text: str, picture: bytes) -> None:
    image = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    found = parse_content(f"words {text}\n\n![][image1]\n\n[image1]: <{image}>\n".encode(), "text/markdown")
    assert found is not None
    assert found.body == f"words {text}\n\n![][image1]\n\n"
