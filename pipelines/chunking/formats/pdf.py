"""Text of PDF files through PDFium: of pages, form fields, annotations and the outline.

Not read: attached files, text in pictures (which is told, page by page), and XFA forms, which need another program.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING

from pipelines.chunking.blocks import Block, heading, picture, unread
from pipelines.chunking.bounds import bounded_blocks
from pipelines.chunking.formats.pdf_annotations import annotation_texts
from pipelines.chunking.formats.pdf_text import page_text
from pipelines.errors import DocumentError

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

MOST_PAGES = 3_000
"""A page of nothing but its number takes a millisecond, too."""
_MOST_ENTRIES = 10_000
"""Of an outline."""
_PDFIUM = Lock()
"""PDFium must not be entered by two threads at once."""
_SHORT_LINE = 0.75
"""A line shorter than this share of the page's longest, ending a sentence, ends a paragraph."""
_STAMP = 100
"""Characters. What is shorter may be a number or a stamp on a scanned page."""
_SCAN = 0.5
"""A picture that takes this share of a page is what the page is about."""


def pdf_blocks(content: bytes) -> list[Block]:
    """Paragraphs of all pages, each with its page; a page without text that holds a picture is a picture.

    Raises DocumentError for a file that PDFium cannot read, with `skip` if it needs a password or has nothing on its
    pages.
    """
    import pypdfium2 as pdfium

    with _PDFIUM:
        _forget_last_error()
        try:
            with pdfium.PdfDocument(content) as document:
                blocks = list(bounded_blocks(_document_blocks(document), len(content)))
        except pdfium.PdfiumError as error:
            if "password" in str(error).lower():
                raise DocumentError("encrypted: the PDF needs a password", skip=True) from None
            raise DocumentError(f"broken PDF: {error}") from None
    if not blocks:
        raise DocumentError("no text layer: the PDF holds pictures only", skip=True)
    return blocks


def single_pages(content: bytes, pages: Sequence[int]) -> list[bytes]:
    """These pages, from 1, each as a PDF of its own. Raises DocumentError."""
    import pypdfium2 as pdfium

    with _PDFIUM:
        try:
            with pdfium.PdfDocument(content) as document:
                return [_single_page(document, page) for page in pages]
        except pdfium.PdfiumError as error:
            raise DocumentError(f"broken PDF: {error}") from None


def _single_page(document: PdfDocument, page: int) -> bytes:
    import pypdfium2 as pdfium

    written = io.BytesIO()
    with pdfium.PdfDocument.new() as single:
        single.import_pages(document, [page - 1])
        single.save(written)
    return written.getvalue()


def _forget_last_error() -> None:
    """PDFium sets none for some broken files, which then seem to fail on what the file before failed on."""
    import pypdfium2.raw as pdfium

    pdfium.FPDF_LoadMemDocument(b"", 0, None)


def _document_blocks(document: PdfDocument) -> Iterator[Block]:
    if document.get_formtype():
        document.init_forms()
    outline = _outline(document)
    for number in range(min(len(document), MOST_PAGES)):
        page = document[number]
        try:
            yield from _page_blocks(page, number + 1, outline.get(number, {}))
        finally:
            page.close()
    if len(document) > MOST_PAGES:
        yield unread(f"only the first {MOST_PAGES:,} of {len(document):,} pages are read")


def _page_blocks(page: PdfPage, number: int, titles: Mapping[str, int]) -> Iterator[Block]:
    """What stands on a page. `titles` are those of the outline that lead to it, with their levels."""
    text = page_text(page)
    lines = [_plain(line) for line in text.split("\n")]
    for title, level in titles.items():
        if title not in lines:
            yield _heading(title, level, number)
    blocks = list(_text_blocks(lines, number, titles))
    yield from blocks
    if found := annotation_texts(page):
        yield Block("text", "\n".join(found), page=number)
    if len(text) < _STAMP and _is_picture(page, _SCAN if blocks else 0):
        yield picture(number)


def _heading(title: str, level: int, page: int) -> Block:
    found = heading(title, level)
    return Block(found.kind, found.text, found.level, page=page)


def _text_blocks(lines: Sequence[str], page: int, titles: Mapping[str, int]) -> Iterator[Block]:
    """Paragraphs, and a heading where a line is a title. Where a paragraph ends shows in the length of lines only."""
    longest = max(map(len, lines))
    paragraph: list[str] = []
    for line in lines:
        is_title = line in titles
        if line and not is_title:
            paragraph.append(line)
        is_short = line.endswith((".", "!", "?", ":")) and len(line) < _SHORT_LINE * longest
        if paragraph and (is_title or is_short or not line):
            yield Block("text", "\n".join(paragraph), page=page)
            paragraph = []
        if is_title:
            yield _heading(line, titles[line], page)
    if paragraph:
        yield Block("text", "\n".join(paragraph), page=page)


def _outline(document: PdfDocument) -> dict[int, dict[str, int]]:
    """Titles of the outline with their levels, by the page that they lead to, from 0; the first where they lead to
    none."""
    found: dict[int, dict[str, int]] = {}
    for entry in islice(document.get_toc(), _MOST_ENTRIES):
        target = entry.get_dest()
        title = _plain(entry.get_title() or "")
        if title:
            place = (target.get_index() if target else None) or 0
            found.setdefault(place, {}).setdefault(title, entry.level + 1)
    return found


def _plain(text: str) -> str:
    return " ".join(text.split())


def _is_picture(page: PdfPage, share: float) -> bool:
    """Whether a picture takes this share of a page."""
    import pypdfium2.raw as pdfium

    width, height = page.get_size()
    for image in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=4):
        left, bottom, right, top = image.get_bounds()
        if (right - left) * (top - bottom) >= share * width * height:
            return True
    return False
