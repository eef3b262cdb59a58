"""What is taken out of every text: pictures and other bytes written as base64, and characters that nobody sees.

Pure, and in time that grows with the text alone, whoever wrote it.
"""

from __future__ import annotations

import re
from itertools import pairwise

_LONG = 60
"""Characters of the shortest word that is looked at: base64 is wrapped at 60 at least."""
_RUN = 200
"""Characters from which on a run of base64 is taken out. Hashes, tokens and paths are shorter."""
_SPREAD = 0.4
"""In base64 this share of neighbours is of different kinds (capitals, small letters, digits): by chance 0.64, and in
names that are written together about 0.2."""

# No quantifier here can give back what it took (`++`, `(?>…)`), so that no text makes them search twice.
_DATA_URI = re.compile(
    r"data:[\w.+-]++/[\w.+-]++(?>(?:;[\w.+=-]++)*),"
    r"[\w+/=%.~*-]*+(?>(?:\r?\n[A-Za-z0-9+/=]{60,}+)*)(?>(?:\r?\n[A-Za-z0-9+/]{1,76}+={1,2})?)",
    re.IGNORECASE,
)
_LINK_DEFINITION = re.compile(
    r"^ {0,3}\[[^\]\n]{1,200}+\]:[ \t]*+<?+(?:data:[\w.+-]++/[\w.+-]++(?>(?:;[\w.+=-]++)*),)[^>\n]*+>?+[ \t]*+\n?+",
    re.MULTILINE | re.IGNORECASE,
)
_DATA = "data:"
_BYTES = re.compile(r";base64,|data:(?:image|audio|video|font|application)/", re.IGNORECASE)
"""What a data URI of bytes has, in its head: others hold words."""
_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/])(?>(?:[A-Za-z0-9+/]{60,}+(?>(?:\r?\n(?=[ \t>]*[A-Za-z0-9+/]{60})[ \t>]*+)?))+)={0,2}+"
)
_LONG_RUN = re.compile(r"[A-Za-z0-9+/]{60}")
_TAIL = re.compile(r"\r?\n[ \t>]*+[A-Za-z0-9+/]{1,76}+={0,2}+(?=[\s\"'<)-]|\Z)")
_BASE64_TAIL = re.compile(r"=\Z|(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9]).{16}", re.DOTALL)
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\U000e0000-\U000e007f]"
)
"""Soft hyphens, zero-width spaces, marks of direction and tags. The joiners U+200C and U+200D stay: Persian words and
pictographs are made with them."""


def clean_text(text: str) -> str:
    """A text without what no reader reads."""
    text = without_invisible(text)
    if _DATA in text or _DATA.upper() in text:
        text = _DATA_URI.sub(_without_bytes, _LINK_DEFINITION.sub(_without_bytes, text))
    return _without_base64(text) if len(text) >= _RUN and _may_hold_base64(text) else text


def without_invisible(text: str) -> str:
    return text if text.isascii() else _INVISIBLE.sub("", text)


def _without_bytes(found: re.Match[str]) -> str:
    return "" if _BYTES.search(found[0].partition(",")[0] + ",") else found[0]


def _may_hold_base64(text: str) -> bool:
    """Whether to look closer. Long words are mostly addresses, which have dots and dashes."""
    return any(_LONG_RUN.search(word) for word in text.split() if len(word) >= _LONG)


def _without_base64(text: str) -> str:
    kept: list[str] = []
    at = 0
    for found in _BASE64.finditer(text):
        if found.start() >= at and _is_base64(found[0]):
            kept.append(text[at : found.start()])
            at = found.end()
            if "\n" in found[0] and (tail := _TAIL.match(text, at)) and _BASE64_TAIL.search(tail[0].strip()):
                at = tail.end()
    return "".join(kept) + text[at:] if kept or at else text


def _is_base64(run: str) -> bool:
    """Whether a run is bytes, and no long path or name."""
    if len(run) < _RUN:
        return False
    kinds = run[:5_000].translate(_KINDS)
    pairs = sum(one != other for one, other in pairwise(run[:5_000]))
    changes = sum(one != other for one, other in pairwise(kinds))
    return changes >= _SPREAD * pairs and {"a", "A", "0"} <= set(kinds)


_KINDS = {
    **dict.fromkeys(range(ord("a"), ord("z") + 1), "a"),
    **dict.fromkeys(range(ord("A"), ord("Z") + 1), "A"),
    **dict.fromkeys(range(ord("0"), ord("9") + 1), "0"),
}
