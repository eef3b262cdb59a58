"""RTF: its control words in one pass, and what they make of the text between them.

Word's Rich Text Format specification 1.9.1: https://www.microsoft.com/en-us/download/details.aspx?id=10725
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import NamedTuple

from connectors.decoding import find_codec
from pipelines.chunking.blocks import Block
from pipelines.chunking.formats.rtf_tables import RtfTables

_TOKEN = re.compile(
    rb"\\(?:([a-zA-Z]{1,32})(-?\d{1,10})?[ ]?|'([0-9a-fA-F]{2})|([^a-zA-Z']))|([{}])|[\r\n]+|([^\\{}\r\n]+)"
)
# Groups that hold no text, or text that stands elsewhere too: `shprslt` and `nonshppict` repeat for old readers.
# fmt: off
_SKIPPED = frozenset({
    "colortbl", "stylesheet", "info", "pict", "objdata", "objclass", "objname", "themedata", "colorschememapping",
    "datastore", "listtable", "listoverridetable", "revtbl", "rsidtbl", "generator", "xmlnstbl", "filetbl", "fldinst",
    "bkmkstart", "bkmkend", "atnauthor", "xe", "tc", "shprslt", "nonshppict", "nonesttables", "sp", "mmathPict", "upr",
    "latentstyles",
    "atnid", "atnref", "atndate", "atrfstart", "atrfend", "ftnsep", "ftnsepc", "ftncn", "aftnsep", "aftnsepc", "aftncn",
    "pgdsctbl", "keycode", "template", "operator", "falt", "panose", "private", "formfield", "datafield", "listpicture",
})
_DESTINATIONS = frozenset({
    "annotation", "background", "dptxbxtext", "footer", "footnote", "header", "moMath", "moMathPara", "nesttableprops",
    "oMath", "oMathPara", "pn", "shp", "shpgrp", "shpinst", "shppict", "shptxt", "ud",
})
"""Groups marked as for newer readers only (`\\*`), whose text is read."""
_NOTES = frozenset({
    "annotation", "dptxbxtext", "footer", "footerf", "footerl", "footerr", "footnote", "header", "headerf", "headerl",
    "headerr", "shptxt",
})
"""Groups whose text stands beside the paragraph in which they are."""
_READ_AGAIN = frozenset({"dptxbxtext", "shptxt", "ud"})
"""Groups whose text is read although they are inside one that is skipped."""
_SHAPE_TEXTS = frozenset({"wzDescription", "gtextUNICODE"})
"""Properties of shapes that people read: the alternative text, and what is drawn as a picture of letters."""
_BREAKS = frozenset({"par", "sect", "page", "column", "softpage", "pard"})
_SYMBOLS = {
    "tab": "\t", "line": "\n", "emdash": "—", "endash": "–", "emspace": " ", "enspace": " ", "qmspace": " ",
    "bullet": "•", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "softline": "\n",
    "lbr": "\n", "zwj": "\u200d", "zwnj": "\u200c",
}
# fmt: on
_PUNCTUATION = {"~": "\u00a0", "_": "-", "\n": "\n", "\r": "\n"}
_ANSI = "cp1252"
_FAMILIES = {"ansi": _ANSI, "mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
_BY_CHARSET = {
    **{0: _ANSI, 77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gb18030", 136: "big5hkscs"},
    **{161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251"},
    **{222: "cp874", 238: "cp1250", 254: "cp437", 255: "cp850"},
}
"""Codecs by the number of a font's character set (`\\fcharset`)."""
_MOST_LEVELS = 9


class _Token(NamedTuple):
    word: str
    number: int | None
    text: bytes
    brace: bytes


@dataclass(frozen=True, slots=True)
class _GroupState:
    """What holds inside a group, and ends with it.

    `uc` is how many characters stand for one in Unicode; `notes` how many notes are open around the group.
    """

    codec: str = _ANSI
    uc: int = 1
    skipped: bool = False
    hidden: bool = False
    deleted: bool = False
    in_fonts: bool = False
    in_name: bool = False
    notes: int = 0


def rtf_blocks(content: bytes) -> list[Block]:
    """Paragraphs, headings and tables; notes and comments where they are anchored, headers and footers where they are
    defined."""
    reader = _RtfReader()
    reader.read(content)
    return reader.tables.blocks


class _RtfReader:
    """Collects text: bytes wait until their codec changes, since one character may be spelled in several ways."""

    def __init__(self) -> None:
        self.tables = RtfTables()
        self._state = _GroupState()
        self._states: list[_GroupState] = []
        self._default = _ANSI
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._bytes = bytearray()
        self._replaced = 0
        self._is_optional = False
        self._level = 0
        self._name = ""

    def read(self, content: bytes) -> None:
        at = 0
        while found := _TOKEN.match(content, at):
            at = found.end()
            token = _token(found)
            if token.word == "bin":  # so many bytes of a picture follow
                at += max(token.number or 0, 0)
            else:
                self._take(token)
        self._flush()
        for _ in range(self._state.notes):  # of a file that was cut off
            self.tables.close_note()
        self._end_paragraph()
        self.tables.end_table()

    def _take(self, token: _Token) -> None:
        if token.brace:
            self._replaced = 0
            self._flush()
            self._enter() if token.brace == b"{" else self._leave()
        elif token.word:
            self._control(token.word, token.number)
        elif token.text:
            self._add_bytes(token.text)

    def _enter(self) -> None:
        self._states.append(self._state)
        self._is_optional = False

    def _leave(self) -> None:
        if not self._states:
            return
        inner, self._state = self._state, self._states.pop()
        for _ in range(inner.notes - self._state.notes):
            self.tables.close_note()

    def _control(self, word: str, number: int | None) -> None:
        if self._replaced and word not in ("u", "uc"):
            self._replaced -= 1  # stands for the character before
            return
        is_optional, self._is_optional = self._is_optional, word == "*"
        if word in _SKIPPED or (is_optional and word not in _DESTINATIONS):
            self._set(skipped=True)
        elif word in _READ_AGAIN:
            self._set(skipped=False)
        if word in _NOTES and not self._state.skipped:
            self._open_note()
        if word == "u" and number is not None:
            self._add_unicode(number)
        elif not self._format(word, number) and not self._state.skipped:
            self._flush()
            self._lay_out(word, number)

    def _format(self, word: str, number: int | None) -> bool:
        """What changes how text is read. False for any other word."""
        is_on = number != 0
        match word:
            case "uc":
                self._set(uc=max(number if number is not None else 1, 0))
            case "v":
                self._set(hidden=is_on)
            case "deleted" | "mvf":
                self._set(deleted=is_on)
            case "sn":
                self._name = ""
                self._set(in_name=True)
            case "sv" if self._name in _SHAPE_TEXTS:
                self._set(skipped=False)
                self._open_note()
            case "plain":
                self._set(hidden=False, deleted=False, codec=self._default)
            case "fonttbl":
                self._set(in_fonts=True)
            case "f" | "fcharset" | "cpg" | "deff":
                self._choose_font(word, number or 0)
            case "ansi" | "mac" | "pc" | "pca" | "ansicpg":
                self._choose_codec(_FAMILIES.get(word) or find_codec(f"cp{number}") or _ANSI)
            case _:
                return False
        return True

    def _choose_font(self, word: str, number: int) -> None:
        if word == "fcharset" and self._state.in_fonts:
            self._fonts[self._font] = _BY_CHARSET.get(number, self._default) if number else self._default
        elif word == "cpg" and self._state.in_fonts:
            self._fonts[self._font] = find_codec(f"cp{number}") or self._default
        elif word == "f":
            self._font = number
            self._set(codec=self._fonts.get(number, self._default))

    def _choose_codec(self, codec: str) -> None:
        self._default = codec
        self._set(codec=codec)

    def _lay_out(self, word: str, number: int | None) -> None:
        if text := _SYMBOLS.get(word) or _PUNCTUATION.get(word):
            self._add_text(text)
        elif word in _BREAKS:
            self._end_paragraph()
            self._level = 0 if word == "pard" else self._level
        elif word == "outlinelevel":
            self._level = min(number or 0, _MOST_LEVELS) + 1
        self.tables.control(word, number)

    def _open_note(self) -> None:
        self._set(notes=self._state.notes + 1)
        self.tables.open_note()

    def _set(self, **changed: object) -> None:
        self._flush()
        self._state = replace(self._state, **changed)  # type: ignore[arg-type]

    def _add_bytes(self, data: bytes) -> None:
        if self._replaced:
            skipped = min(self._replaced, len(data))
            self._replaced -= skipped
            data = data[skipped:]
        self._bytes += data

    def _add_unicode(self, number: int) -> None:
        self._flush()
        unit = number & 0xFFFF  # written as a signed number of 16 bits
        self._add_text(chr(unit))
        self._replaced = self._state.uc

    def _flush(self) -> None:
        if self._bytes:
            self._add_text(bytes(self._bytes).decode(self._state.codec, errors="replace"))
            self._bytes.clear()

    def _add_text(self, text: str) -> None:
        state = self._state
        if state.in_name:
            self._name += text
        if not (state.skipped or state.hidden or state.deleted or state.in_fonts):
            self.tables.add(text)

    def _end_paragraph(self) -> None:
        self._flush()
        self.tables.end_paragraph(self._level)


def _token(found: re.Match[bytes]) -> _Token:
    word, number, byte, symbol, brace, text = found.groups()
    if word:
        return _Token(word.decode(), int(number) if number else None, b"", b"")
    if byte:
        return _Token("", None, bytes.fromhex(byte.decode()), b"")
    if symbol in (b"\\", b"{", b"}"):
        return _Token("", None, symbol, b"")
    if symbol:
        return _Token(symbol.decode("latin-1"), None, b"", b"")
    return _Token("", None, text or b"", brace or b"")
