"""JSON and XML as the text that they are, with their characters as people read them."""

from __future__ import annotations

import html
import re

from pipelines.chunking.blocks import Block, paragraphs

_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[\"\\/bfnrt])")
_SHORT = {"b": " ", "f": " ", "n": "\n", "r": " ", "t": "\t"}


def json_blocks(text: str) -> list[Block]:
    """JSON, also where it is broken or one value a line, with its escapes (RFC 8259, 7) read as their characters."""
    return paragraphs(_ESCAPE.sub(_unescape, text) if "\\" in text else text)


def xml_blocks(text: str) -> list[Block]:
    """XML with its tags, and with its references to characters read as these."""
    return paragraphs(html.unescape(text) if "&" in text else text)


def _unescape(found: re.Match[str]) -> str:
    escape = found[0]
    if escape[1] != "u":
        return _SHORT.get(escape[1], escape[1])
    units = bytes.fromhex(escape.replace("\\u", ""))
    return units.decode("utf-16-be", errors="replace").replace("\0", "\ufffd")
