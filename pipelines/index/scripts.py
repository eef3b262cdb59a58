"""One spelling for what reads alike, and words for scripts that are written without spaces. Pure.

The engine's tokenizer takes letters as they are, and a stretch of them for one word. So `ﬁle` in the ligature of a PDF
is not `file`, a soft hyphen cuts a word in two, and a Japanese clause is one word that no question meets. Texts and
questions are made alike before it sees them: compatibility forms are replaced (NFKC, Unicode Standard Annex 15), what
nobody sees or types is taken out, and stretches of Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese letters
become each two neighbours that they hold, as in Lucene's CJKBigramFilter.
"""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff"
)
"""Default_Ignorable_Code_Point of the Unicode Character Database, of which NFKC keeps most."""
_UNTYPED = "\u0591-\u05af\u05b0-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
"""Hebrew points, Arabic vowel signs and the stroke that stretches a word: texts have them, questions do not."""
_CUTTING = "\u0e47-\u0e4c\u0e4e\u0eba\u0ec8-\u0ecc\u17c9-\u17d3\u1037\u1039\u103a"
"""Tone marks and signs at which the engine would cut: without the property Alphabetic they are no letters to it."""
_LEFT_OUT = re.compile(f"[{_INVISIBLE}{_UNTYPED}{_CUTTING}]+")

_SOFT_HYPHEN = b"\xad"
"""The only one of these in Windows-1252, which has the quotation marks and dashes of western texts besides Latin-1."""

_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_UNSPACED = re.compile(
    f"[{_HAN}"
    "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3105-\u312f\u31a0-\u31bf"  # kana, bopomofo
    "\uac00-\ud7a3\u1100-\u11ff"  # Hangul
    "\u0e01-\u0e3a\u0e40-\u0e4d\u0e81-\u0ebd\u0ec0-\u0ecd"  # Thai, Lao
    "\u1780-\u17b3\u17b6-\u17c8\u1000-\u103f\u1050-\u109d"  # Khmer, Burmese
    "]+"
)
_HAN_LETTER = re.compile(f"[{_HAN}]")


def fold(text: str) -> str:
    """The text in compatibility forms, without what is not seen or not typed."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text)
    return text if _is_western(text) else _LEFT_OUT.sub("", text)


def split_text(text: str) -> str:
    """A text with spaces between what it is found by where a script has none: pairs, and Han letters by themselves."""
    return text if _is_western(text) else _UNSPACED.sub(lambda run: _spaced(_pairs(run) + _han_letters(run)), text)


def split_question(text: str) -> str:
    """As `split_text`; a Han letter by itself is asked for only where it stands alone."""
    return text if _is_western(text) else _UNSPACED.sub(lambda run: _spaced(_pairs(run)), text)


def _is_western(text: str) -> bool:
    """Whether all is of Windows-1252, and so neither left out nor divided: found out in a third of the time that one
    look for that takes."""
    try:
        return text.isascii() or _SOFT_HYPHEN not in text.encode("cp1252")
    except UnicodeEncodeError:
        return False


def _pairs(run: re.Match[str]) -> list[str]:
    letters = run.group()
    return [letters[place : place + 2] for place in range(len(letters) - 1)] or [letters]


def _han_letters(run: re.Match[str]) -> list[str]:
    return _HAN_LETTER.findall(run.group()) if len(run.group()) > 1 else []


def _spaced(words: list[str]) -> str:
    return f" {' '.join(words)} "
