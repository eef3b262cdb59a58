"""Text from elsewhere, made fit for a terminal or a log: what it holds can only be read, and does nothing. Pure."""

from __future__ import annotations

import re

_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL and C1: escape sequences (ECMA-48) begin with one of them
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # line and paragraph ends, and what turns the direction of writing
    "\ud800-\udfff]"  # halves of a surrogate pair, which no terminal's encoding can hold
)
_HARMLESS = "\n\t"


def printable(text: object, *, keep: str = "") -> str:
    """With a visible name (`<1b>`, `<202e>`) for each character that would do something; those in `keep` stay."""
    return _CONTROL.sub(lambda found: found[0] if found[0] in keep else f"<{ord(found[0]):02x}>", str(text))


def printable_lines(text: object) -> str:
    """The same for text of several lines, whose ends and tabs stay."""
    return printable(text, keep=_HARMLESS)


def printable_json(document: str) -> str:
    """JSON on one line that says the same, with these characters escaped: they can stand in its strings alone."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", document)
