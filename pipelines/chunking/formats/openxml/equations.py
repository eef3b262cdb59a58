"""Equations of Office (OMML, ECMA-376-1, 22.1) in one line, as people type them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.chunking.formats.openxml.xml import child, child_value, local_name

if TYPE_CHECKING:
    from lxml.etree import _Element

_DELETED = frozenset({"del", "moveFrom"})
_ATOM = re.compile(r"\w*$")
_LETTER = re.compile(r"\w$")


def equation_text(element: _Element) -> str:
    """What is in an element of an equation; runs that follow each other may be parts of one word."""
    return "".join(_part(part) for part in element)


def _part(element: _Element) -> str:
    name = local_name(element)
    if name == "t":
        return element.text or ""
    if name in _DELETED or name.endswith("Pr"):
        return ""
    match name:
        case "f":
            return f"{_group(element, 'num')}/{_group(element, 'den')}"
        case "sSup" | "sSub" | "sSubSup" | "sPre":
            return _scripts(element)
        case "nary":
            sign = child_value(element, "naryPr", "chr") or "∫"
            return f"{sign}{_limits(element)} {_argument(element, 'e')}"
        case "rad":
            return f"{_argument(element, 'deg')}√{_group(element, 'e')}"
        case "d":
            return _delimited(element)
        case "func":
            return f"{_argument(element, 'fName')} {_argument(element, 'e')}"
        case "m":
            rows = (" ".join(map(equation_text, row)) for row in element.iterfind("{*}mr"))
            return f"[{'; '.join(rows)}]"
        case "eqArr":
            return "\n".join(map(equation_text, element.iterfind("{*}e")))
        case "limLow" | "limUpp":
            return f"{_argument(element, 'e')} {_argument(element, 'lim')}"
    return equation_text(element)


def _argument(element: _Element, name: str) -> str:
    found = child(element, name)
    return "" if found is None else equation_text(found)


def _group(element: _Element, name: str) -> str:
    text = _argument(element, name)
    return text if _ATOM.match(text) else f"({text})"


def _scripts(element: _Element) -> str:
    return f"{_group(element, 'e')}{_limits(element)}"


def _limits(element: _Element) -> str:
    """What is below and above; more than a letter below is in brackets, for `_` would join it to the word before."""
    below, above = _argument(element, "sub"), _argument(element, "sup")
    low = below and (f"_{below}" if _LETTER.match(below) else f"_({below})")
    return low + (f"^{_group(element, 'sup')}" if above else "")


def _delimited(element: _Element) -> str:
    start, between, end = (
        default if (value := child_value(element, "dPr", name)) is None else value
        for name, default in (("begChr", "("), ("sepChr", "|"), ("endChr", ")"))
    )
    return f"{start}{between.join(map(equation_text, element.iterfind('{*}e')))}{end}"
