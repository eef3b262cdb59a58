"""Files of every type, whole and broken."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.chunking import chunk_document
from pipelines.chunking.formats import read_blocks
from pipelines.errors import DocumentError
from tests.paths import ROOT
from tests.pipelines.chunking import files
from tests.pipelines.chunking.files import MakeDocument


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("chunking opened a socket")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


def _read(content: str | bytes, content_type: str) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in read_blocks(content, content_type)]


def test_word() -> None:
    assert _read(files.word(), files.DOCX) == [
        ("heading", "# Plan"),
        ("text", "A short line"),
        ("item", "- first"),
        ("item", "- second"),
        ("heading", "## Costs"),
        ("table", "| Item | EUR |\n| --- | --- |\n| Desk | 200 |"),
    ]


def test_slides_with_notes() -> None:
    assert _read(files.slides(), files.PPTX) == [
        ("heading", "# Slide 1"),
        ("item", "- Point 1"),
        ("text", "Notes: Say this on 1."),
        ("heading", "# Slide 2"),
        ("item", "- Point 2"),
        ("text", "Notes: Say this on 2."),
    ]


def test_workbook() -> None:
    assert _read(files.workbook(2), files.XLSX) == [
        ("heading", "## Costs"),
        ("table", "| Item | EUR |\n| --- | --- |\n| Item 0 | 0 |\n| Item 1 | 0.5 |"),
        ("heading", "## Notes"),
        ("table", "| one cell |\n| --- |"),
    ]


def test_every_chunk_of_a_sheet_has_the_header_row(document: MakeDocument) -> None:
    chunks = chunk_document(document(files.workbook(300), files.XLSX))
    tables = [chunk for chunk in chunks if "Item" in chunk.text]
    assert len(tables) == 3
    assert chunks[0].text.startswith("## Costs\n\n| Item |")
    assert all("| Item | EUR |\n| --- | --- |" in chunk.text for chunk in tables)
    assert all(chunk.headings == ("Costs",) for chunk in tables[1:])


def test_pdf() -> None:
    pages = ("A first line that is quite long\nends here.\nAnother paragraph follows", "Second page")
    assert _read(files.pdf(*pages), files.PDF) == [
        ("text", "A first line that is quite long\nends here."),
        ("text", "Another paragraph follows"),
        ("text", "Second page"),
    ]


def test_mail() -> None:
    mail = (
        b"From: Ada <ada@example.com>\r\nTo: ben@example.com\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
        b"Date: Mon, 5 Jan 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=X\r\n\r\n"
        b"--X\r\nContent-Type: text/html\r\n\r\n<p>Hello <b>World</b></p>\r\n--X\r\n"
        b'Content-Disposition: attachment; filename="plan.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
        b"%PDF-\r\n--X--\r\n"
    )
    assert _read(mail, files.MAIL) == [
        (
            "text",
            "Subject: Grüße\nFrom: Ada <ada@example.com>\nTo: ben@example.com\nDate: Mon, 5 Jan 2026 10:00:00 +0000",
        ),
        ("text", "Hello World"),
        ("unread", "attached plan.pdf: broken PDF: Failed to load document (PDFium: Data format error)."),
        ("text", "Attachments: plan.pdf"),
    ]


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("a,b\n1,2\n", "| a | b |\n| --- | --- |\n| 1 | 2 |"),
        ('a;b\n1;"2\n3"\n', "| a | b |\n| --- | --- |\n| 1 | 2 3 |"),
        ("a\tb\n\n1\n", "| a | b |\n| --- | --- |\n| 1 |  |"),
        ("only\none\n", "| only |\n| --- |\n| one |"),
    ],
)
def test_csv(text: str, table: str) -> None:
    assert _read(text, "text/csv") == [("table", table)]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("grün".encode(), "grün"),
        (b"\xef\xbb\xbf" + "grün".encode(), "grün"),
        ("grün".encode("utf-16"), "grün"),
        ("grün".encode("cp1252"), "grün"),
        (b"a\r\nb\rc", "a\nb\nc"),
        (b"a\0b", "a\ufffdb"),
    ],
)
@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "Text/Markdown; charset=utf-8", "application/json", "text/x-go", "application/x-yaml", "a/b+xml"],
)
def test_text_of_any_encoding(content: str | bytes, text: str, content_type: str) -> None:
    assert _read(content, content_type) == [("text", text)]


@pytest.mark.parametrize(
    ("content", "content_type", "text"),
    [
        (
            r'{"a": "gr\u00fcn \ud83d\ude00", "b": "one\ntwo \"x\""}',
            "application/json",
            '{"a": "grün 😀", "b": "one\ntwo "x""}',
        ),
        (r'{"a": "\u00fc", broken \ud83d', "application/ld+json", '{"a": "ü", broken \ufffd'),
        ("<a>gr&#252;n &amp; <b>blau</b></a>", "application/xml", "<a>grün & <b>blau</b></a>"),
        (
            "BEGIN:VEVENT\nSUMMARY:Mill\nDTSTART;VALUE=DATE:20260304\nEND:VEVENT",
            "text/calendar",
            "Mill\nStart: 2026-03-04",
        ),
    ],
)
def test_data_is_read_as_people_read_it(content: str, content_type: str, text: str) -> None:
    assert _read(content, content_type) == [("text", text)]


@pytest.mark.parametrize("content_type", ["text/plain", "text/html", "text/markdown", "text/csv", "application/json"])
@pytest.mark.parametrize(
    "unit", ["<!--", "data:", "data:a/b;", "A" * 199 + " ", "[a]: data:", "`<!--", "&shy;", "\\u00", '"a']
)
def test_hostile_texts_take_a_moment(unit: str, content_type: str) -> None:
    start = time.process_time()
    read_blocks(unit * (400_000 // len(unit)), content_type)
    assert time.process_time() - start < 10


OLE = bytes.fromhex("d0cf11e0a1b11ae1")


@pytest.mark.parametrize(
    ("content", "content_type", "reason"),
    [
        (b"\x89PNG", "image/png", "unsupported type: image/png"),
        (b"x", "", "unsupported type: none given"),
        (bytes(range(256)), "text/plain", "unknown encoding: its bytes are a text in no known one"),
        (files.pdf("secret", encrypted=True), files.PDF, "encrypted: the PDF needs a password"),
        (files.pdf("", ""), files.PDF, "no text layer: the PDF holds pictures only"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), files.DOCX, "encrypted: the file needs a password"),
        (OLE + b"old", files.XLSX, "unsupported type: an Office file from before 2007"),
    ],
)
def test_skipped(content: str | bytes, content_type: str, reason: str, document: MakeDocument) -> None:
    with pytest.raises(DocumentError) as caught:
        chunk_document(document(content, content_type))
    assert (caught.value.reason, caught.value.skip) == (reason, True)


@pytest.mark.parametrize(
    ("content", "content_type", "reason"),
    [
        (b"%PDF-1.4 nothing follows", files.PDF, "broken PDF: "),
        (files.pdf("text")[:200], files.PDF, "broken PDF: "),
        (b"no archive", files.DOCX, "broken Word document: "),
        (b"no archive", files.PPTX, "broken PowerPoint presentation: "),
        (files.workbook(9)[:2000], files.XLSX, "broken Excel workbook: "),
        (files.workbook(1), files.DOCX, "broken Word document: "),
        (files.word(), files.XLSX, "broken Excel workbook: "),
    ],
)
def test_broken(content: str | bytes, content_type: str, reason: str, document: MakeDocument) -> None:
    with pytest.raises(DocumentError) as caught:
        chunk_document(document(content, content_type))
    assert caught.value.reason.startswith(reason)
    assert len(caught.value.reason) > len(reason)
    assert "0x" not in caught.value.reason
    assert not caught.value.skip


def test_unstructured_neither_loads_a_model_nor_calls_home(tmp_path: Path) -> None:
    program = (
        "import socket, sys\n"
        "def refused(*args): raise AssertionError('network')\n"
        "socket.socket.connect = socket.getaddrinfo = refused\n"
        "from pipelines.chunking.formats.unstructured_offline import keep_offline\n"
        "keep_offline()\n"
        "from unstructured.staging.base import elements_from_dicts\n"
        "from pipelines.chunking.formats.elements import element_blocks\n"
        "found = [{'type': 'Title', 'text': 'Plan'}, {'type': 'ListItem', 'text': 'one', 'metadata': {}}]\n"
        "assert [block.text for block in element_blocks(elements_from_dicts(found))] == ['# Plan', '- one']\n"
        "models = ('spacy', 'torch', 'unstructured.nlp.tokenize', 'unstructured.partition.auto')\n"
        "print([name for name in models if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
