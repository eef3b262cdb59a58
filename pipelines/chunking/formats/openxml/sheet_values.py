"""What people see in the cells of a sheet (ECMA-376-1, 18.3.1.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.chunking.formats.openxml.number_formats import BUILT_IN, formatted_text, number_text
from pipelines.chunking.formats.openxml.package import BrokenPart, Package
from pipelines.chunking.formats.openxml.xml import local_name, whole_number

if TYPE_CHECKING:
    from lxml.etree import _Element

_GENERAL = "General"
_FIRST_DAY = datetime(1899, 12, 30)
"""From which dates after February 1900 are counted."""
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
"""A UTF-16 unit that XML cannot hold as it is (ECMA-376-1, 22.9.2.19)."""


class CellValues:
    """The texts of cells, from the strings and number formats that a workbook keeps apart.

    `lacks_strings` is set once a cell asks for one that is not there.
    """

    def __init__(self, strings: Sequence[str], codes: Sequence[str], *, since_1904: bool) -> None:
        self._strings = strings
        self._codes = codes
        self._since_1904 = since_1904
        self.lacks_strings = False

    def text(self, cell: _Element) -> str:
        """What a cell shows; of a formula the value that was kept when the file was saved."""
        for part in cell:
            match local_name(part):
                case "v" if part.text:
                    return self._value_text(part.text, cell)
                case "is":
                    return formatted_text(rich_text(part), self._code(cell))
        return ""

    def _value_text(self, value: str, cell: _Element) -> str:
        match cell.get("t"):
            case None | "n":
                return self._number(value, cell)
            case "s":
                return self._shared_string(whole_number(value, len(self._strings)), cell)
            case "str":
                return formatted_text(unescaped(value), self._code(cell))
            case "b":
                return "TRUE" if value == "1" else "FALSE"
            case "d":
                return self._date(value, cell)
        return value  # an error

    def _shared_string(self, index: int, cell: _Element) -> str:
        if index >= len(self._strings):
            self.lacks_strings = True
            return ""
        return formatted_text(self._strings[index], self._code(cell))

    def _number(self, value: str, cell: _Element) -> str:
        try:
            return number_text(float(value), self._code(cell), since_1904=self._since_1904)
        except ValueError:
            return value

    def _date(self, value: str, cell: _Element) -> str:
        """A date in ISO 8601, as strict files keep them (ECMA-376-1, 18.18.11)."""
        try:
            moment = datetime.fromisoformat(value).replace(tzinfo=None)
        except ValueError:
            return value
        code = self._code(cell)
        number = (moment - _FIRST_DAY) / timedelta(days=1)
        return value if code == _GENERAL else number_text(number, code)

    def _code(self, cell: _Element) -> str:
        index = whole_number(cell.get("s"))
        return self._codes[index] if index < len(self._codes) else _GENERAL


def read_strings(package: Package, part: str) -> list[str]:
    """The shared strings; as far as they can be read. `part` is empty where there are none."""
    strings: list[str] = []
    with suppress(BrokenPart):
        strings.extend(map(rich_text, package.stream(part, ("si",)) if part else ()))
    return strings


def rich_text(element: _Element) -> str:
    """A text of one or several runs, without the readings of its characters."""
    texts = []
    for part in element:
        match local_name(part):
            case "t":
                texts.append(part.text or "")
            case "r":
                texts.append(part.findtext("{*}t") or "")
    return unescaped("".join(texts))


def unescaped(text: str) -> str:
    """A text with its `_x000D_` as the characters that they stand for."""
    if "_x" not in text:
        return text
    units = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def read_codes(package: Package, part: str) -> list[str]:
    """The number format codes of cell styles, as far as they can be read: nothing else of a style matters here."""
    own: dict[str, str] = {}
    ids: list[str] = []
    try:
        for element in package.stream(part, ("numFmt", "xf")) if part else ():
            match local_name(element.getparent()):
                case "numFmts":
                    own[element.get("numFmtId", "")] = element.get("formatCode", "")
                case "cellXfs":
                    ids.append(element.get("numFmtId", "0"))
    except BrokenPart:
        pass
    return [_code(number, own) for number in ids]


def _code(number: str, own: Mapping[str, str]) -> str:
    return own.get(number) or BUILT_IN.get(whole_number(number), _GENERAL)
