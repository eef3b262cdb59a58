"""The text of a page as it is read: words that a line's end has broken, words that run from right to left, columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import normalize

from pipelines.chunking.formats.pdf_columns import in_columns
from pipelines.chunking.formats.pdf_direction import has_right_to_left, in_reading_order

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

_HYPHEN = re.compile("\n?\u2010 *\n|[\ufffe\x02]\n?|[-\u00ad] *\n")
"""U+2010 as browsers print it, which PDFium may take for a line of its own; PDFium's mark for a hyphen at a line's end;
one that it leaves, as after a letter that is not of ASCII."""

_HAN = "[\u3005-\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
_UPRIGHT = re.compile(f"^{_HAN}(?:\n{_HAN}){{2,}}$", re.MULTILINE)
"""Lines of one character of Chinese or Japanese each, which is written from top to bottom."""


def page_text(page: PdfPage) -> str:
    text_page = page.get_textpage()
    try:
        text: str = text_page.get_text_range()
        if has_right_to_left(text):
            text = in_reading_order(text, text_page)
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if not has_right_to_left(text):
            text = in_columns(text, text_page)
    finally:
        text_page.close()
    return join_words(text)


def join_words(text: str) -> str:
    """The text with words whole that the end of a line has broken. Pure."""
    return _UPRIGHT.sub(lambda found: found[0].replace("\n", ""), _HYPHEN.sub(_join, text))


def _join(found: re.Match[str]) -> str:
    """A word that was broken becomes one again; of what has capitals or digits, the hyphen is a part: ABC-123."""
    text, start, end, hyphen = found.string, found.start(), found.end(), found[0].strip()
    before, after = normalize("NFC", text[max(start - 3, 0) : start])[-1:], text[end : end + 1]
    if before.islower() and after.islower():
        return ""
    if hyphen in "\u2010\u00ad" and _is_indic(before) and _is_indic(after):
        return ""
    is_dash = hyphen in "-\u2010\u00ad" and not (before.isalnum() and after.isalnum())
    return found[0] if is_dash else "-"


def _is_indic(character: str) -> bool:
    """Devanagari to Myanmar, whose letters and vowel signs have no case; their words are broken as others are."""
    return "\u0900" <= character < "\u1100"
