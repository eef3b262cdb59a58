"""Which format a file is read in."""

from __future__ import annotations

import pytest

from connectors.drive import formats
from connectors.drive.formats import plan_file, plan_format, title
from connectors.drive.payloads import DriveFile, FileCapabilities
from connectors.file_content import SkipFile
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
        ("application/octet-stream", "a", "file", ("",)),
        ("application/msword", "a.doc", "file", ("",)),
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
        ("application/octet-stream", "a.png"),
        ("application/vnd.oasis.opendocument.text", "a.odt"),
        (f"{GOOGLE}script", "Macro"),
        (f"{GOOGLE}unknown", "New"),
        (f"{GOOGLE}script", ""),
    ],
)
def test_what_has_no_text_is_skipped(mime_type: str, name: str) -> None:
    assert plan_format(mime_type, name) is None
    with pytest.raises(SkipFile, match="unsupported type: "):
        plan_file(DriveFile(id="1", name=name, mime_type=mime_type))


@pytest.mark.parametrize(
    ("mime_type", "name", "expected"),
    [
        ("image/png", "a.png", "image/png"),
        ("application/octet-stream", "a.JPG", "image/jpeg"),
        ("image/heif", "a", "image/heic"),
        ("image/gif", "a.gif", None),
        (PDF, "a.png", PDF),
    ],
)
def test_pictures_where_they_are_read(mime_type: str, name: str, expected: str | None) -> None:
    how = plan_format(mime_type, name, pictures=True)
    assert (how and how.media_type) == expected


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


@pytest.mark.parametrize(
    ("name", "expected"),
    [("  Plan\n2026\t", "Plan 2026"), ("a\x00b\u202ec", "a b c"), ("", "Untitled"), ("\u200b", "Untitled")],
)
def test_titles_are_one_line(name: str, expected: str) -> None:
    assert title(name) == expected


def test_the_size_cap_is_stated() -> None:
    assert formats.too_large(30_000_000) == "too large: 30.0 MB, more than 25 MB"
