"""Text of PDF files through PDFium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from threading import Lock
from typing import TYPE_CHECKING

from pipelines.chunking.blocks import Block
from pipelines.errors import DocumentError

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

_PDFIUM = Lock()
"""PDFium must not be entered by two threads at once."""
_HYPHEN = re.compile("[\ufffe\x02]\n?")
"""PDFium's mark for a hyphen at which a word was broken at a line's end."""
_SHORT_LINE = 0.75
"""A line shorter than this share of the page's longest, ending a sentence, ends a paragraph."""


def pdf_blocks(content: bytes) -> list[Block]:
    """Paragraphs of all pages.

    Raises DocumentError for a file that PDFium cannot read, with `skip` if it needs a password or holds
    pictures of text only.
    """
    import pypdfium2 as pdfium

    with _PDFIUM:
        try:
            with pdfium.PdfDocument(content) as document:
                blocks = [Block("text", text) for page in _pages(document) for text in _paragraphs(page)]
        except pdfium.PdfiumError as error:
            if "password" in str(error).lower():
                raise DocumentError("encrypted: the PDF needs a password", skip=True) from None
            raise DocumentError(f"broken PDF: {error}") from None
    if not blocks:
        raise DocumentError("no text layer: the PDF holds pictures only", skip=True)
    return blocks


def _pages(document: PdfDocument) -> Iterator[str]:
    for number in range(len(document)):
        page = document[number]
        text_page = page.get_textpage()
        yield _HYPHEN.sub("", text_page.get_text_range().replace("\r\n", "\n").replace("\r", "\n"))
        text_page.close()
        page.close()


def _paragraphs(page: str) -> Iterator[str]:
    """PDFium gives lines; where a paragraph ends shows in their length only."""
    lines = [" ".join(line.split()) for line in page.split("\n")]
    longest = max(map(len, lines))
    paragraph: list[str] = []
    for line in lines:
        if line:
            paragraph.append(line)
        if paragraph and (not line or (line.endswith((".", "!", "?", ":")) and len(line) < _SHORT_LINE * longest)):
            yield "\n".join(paragraph)
            paragraph = []
    if paragraph:
        yield "\n".join(paragraph)
