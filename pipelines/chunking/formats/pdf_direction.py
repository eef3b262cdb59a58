"""Words of Arabic and Hebrew that PDFium leaves as they are seen, from left to right.

It does so where letters are drawn one by one, as browsers print them. The places of letters on the page tell which.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias
from unicodedata import combining

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage

_LETTERS = "\u0590-\u065f\u066a-\u06ef\u06fa-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
"""All but the digits, which run from left to right."""
_RIGHT_TO_LEFT = re.compile(f"[{_LETTERS}]")
_LEFT_TO_RIGHT = re.compile(rf"[^\W{_LETTERS}](?:[^{_LETTERS}]*[^\W{_LETTERS}])?")
_WORD = re.compile(r"\S+")
_Place: TypeAlias = tuple[float, float]
"""The middle of a letter from the left, and its foot from below, in points."""


def has_right_to_left(text: str) -> bool:
    return _RIGHT_TO_LEFT.search(text) is not None


def in_reading_order(text: str, text_page: PdfTextPage) -> str:
    """The text of a page, in the lines that run from right to left with each word in its order."""
    import pypdfium2.raw as pdfium

    shown = "".join(chr(pdfium.FPDFText_GetUnicode(text_page.raw, at)) for at in range(text_page.count_chars()))
    lines, shown_lines = text.split("\n"), shown.split("\n")
    if len(lines) != len(shown_lines):
        return text
    start = 0
    for number, (line, shown_line) in enumerate(zip(lines, shown_lines, strict=True)):
        if line == shown_line and has_right_to_left(line):
            lines[number] = _line_in_order(line, text_page, start)
        start += len(shown_line) + 1
    return "\n".join(lines)


def _line_in_order(line: str, text_page: PdfTextPage, start: int) -> str:
    def word_in_order(found: re.Match[str]) -> str:
        boxes = [text_page.get_charbox(start + at) for at in range(found.start(), found.end())]
        return turned(found[0], [((left + right) / 2, bottom) for left, bottom, right, _ in boxes])

    return _WORD.sub(word_in_order, line)


def turned(word: str, places: Sequence[_Place]) -> str:
    """A word of a line that runs from right to left, as its letters stand on the page. Pure.

    What already runs the right way is left as it is: letters of some fonts stand above each other. So are words that
    stand upright or have marks above their letters.
    """
    across, up = ([one[axis] for one in places] for axis in (0, 1))
    if max(across) - min(across) <= max(up) - min(up) or any(map(combining, word)):
        return word
    ordered = "".join(word[at] for at in sorted(range(len(word)), key=across.__getitem__))
    if not has_right_to_left(word):
        return ordered
    rising = sum(1 if after > before else -1 for before, after in pairwise(across))
    return _LEFT_TO_RIGHT.sub(lambda found: found[0][::-1], ordered[::-1]) if rising > 0 else word
