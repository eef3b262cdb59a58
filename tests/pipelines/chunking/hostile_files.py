"""Small files that ask for much: of memory, of time, or of embeddings."""

from __future__ import annotations

import io
import zipfile

import openpyxl

from tests.pipelines.chunking import files
from tests.pipelines.chunking.pdf_files import Pdf, packed_pages


def hostile_files() -> dict[str, tuple[bytes, str]]:
    """Content and media type by name."""
    return {
        "paragraphs.docx": (_with_paragraphs(3_000_000), files.DOCX),
        "bomb.docx": (_with_part(b" " * 1_000_000, 3_000), files.DOCX),
        "laughs.docx": (_with_document(_LAUGHS), files.DOCX),
        "corner.xlsx": (_corner(), files.XLSX),
        "bomb.pptx": (_bomb_of(files.slides(), "ppt/slides/slide1.xml", b" " * 1_000_000, 3_000), files.PPTX),
        "pages.pdf": (Pdf().pages_alike(50_000, "BT /F1 11 Tf 50 700 Td (A line) Tj ET").data(), files.PDF),
        "text.pdf": (packed_pages(300, "a word after a word after a word after a word", 600), files.PDF),
        "tables.html": (b"<table><tr><td>" * 1_000 + b"deep" + b"</td></tr></table>" * 1_000, "text/html"),
        "comments.md": (b"<!--" * 500_000, "text/markdown"),
        "line.csv": (b"a," * 5_000_000, "text/csv"),
    }


_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "haha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(10))
    + b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>'
    + b"&k;</w:t></w:r></w:p></w:body></w:document>"
).replace(b"<w:document xmlns", b"]><w:document xmlns", 1)


def _with_paragraphs(count: int) -> bytes:
    """A file of 331 kB with three million paragraphs."""
    before, after = _document().split(b"A short line")
    paragraph = b"</w:t></w:r></w:p><w:p><w:r><w:t>a"
    return _rewritten(files.word(), _MAIN, [before, *[paragraph * 30_000] * (count // 30_000), after])


def _with_part(piece: bytes, times: int) -> bytes:
    before, after = _document().split(b"A short line")
    return _rewritten(files.word(), _MAIN, [before, *[piece] * times, after])


def _with_document(content: bytes) -> bytes:
    return _rewritten(files.word(), _MAIN, [content])


def _bomb_of(file: bytes, part: str, piece: bytes, times: int) -> bytes:
    content = zipfile.ZipFile(io.BytesIO(file)).read(part)
    return _rewritten(file, part, [content, *[piece] * times])


_MAIN = "word/document.xml"


def _document() -> bytes:
    return zipfile.ZipFile(io.BytesIO(files.word())).read(_MAIN)


def _rewritten(file: bytes, part: str, pieces: list[bytes]) -> bytes:
    """A package with another content of one part."""
    written = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(file)) as source,
        zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target,
    ):
        for name in source.namelist():
            with target.open(name, "w", force_zip64=True) as opened:
                for piece in pieces if name == part else [source.read(name)]:
                    opened.write(piece)
    return written.getvalue()


def _corner() -> bytes:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = "name", "stray"
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()
