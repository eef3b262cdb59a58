"""Which words of an HTML element a reader sees, and where one ends. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

LISTS = frozenset({"ul", "ol", "menu"})
# fmt: off
BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "dir", "div",
    "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html", "legend", "li",
    "main", "nav", "noframes", "noscript", "p", "search", "section", "summary", "tbody", "td", "tfoot", "th", "thead",
    "tr",
})
_HIDDEN = frozenset({"head", "script", "style", "template", "metadata", "link", "meta", "base", "datalist"})
_APART = frozenset({
    "area", "audio", "button", "canvas", "desc", "embed", "foreignobject", "iframe", "img", "input", "math", "meter",
    "mi", "mn", "mo", "ms", "mtext", "object", "optgroup", "option", "output", "progress", "rt", "select", "svg",
    "text", "textarea", "title", "video",
})
"""Not blocks, but what stands in them is apart from what is beside them."""
_UNSEEN_INPUTS = frozenset({"hidden", "password", "checkbox", "radio", "file", "color", "range"})
_PLAIN = BLOCKS | LISTS | {"b", "code", "em", "font", "h1", "h2", "h3", "i", "s", "small", "span", "strong", "u"}
# fmt: on
_UNSEEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_WITH_LABEL = frozenset({"a", "button"})
BREAK = "\u2028"
"""Stands for `<br>` until a block is complete, for line ends in the source mean nothing."""


def is_hidden(element: _Element) -> bool:
    """Whether a browser shows nothing of an element, as far as the element itself tells."""
    if element.tag in _HIDDEN:
        return True
    if not element.keys():
        return False
    if element.get("hidden", "until-found").lower() != "until-found":
        return True
    return bool(_UNSEEN_STYLE.search(element.get("style") or ""))


def is_block(element: _Element) -> bool:
    return element.tag in BLOCKS or element.tag in LISTS


def text_before(element: _Element) -> str:
    """What an element shows before its children."""
    if element.tag in _PLAIN:  # most of a page, and the rest of this takes its time
        return element.text or ""
    if element.tag == "br":
        return BREAK
    gap = " " if _is_apart(element) else ""
    return f"{gap}{_said_by_attributes(element)}{gap}{element.text or ''}"


def text_after(element: _Element) -> str:
    """What an element shows after its children; not what follows it."""
    if element.tag in _PLAIN:
        return ""
    if element.tag in ("abbr", "dfn") and (title := element.get("title")):
        return f" ({title})"
    return " " if _is_apart(element) else ""


def element_text(element: _Element) -> str:
    """All text that an element shows, with a space around blocks."""
    if not len(element) and element.tag in ("td", "th"):
        return element.text or ""
    return "".join(_pieces(element, "ruby")).replace(BREAK, " ")


def ruby_text(element: _Element) -> str:
    """Characters in one piece, and then how they are read: between them it would cut words in two."""
    base, reading = [element.text or ""], []
    for part in element.iterchildren():
        if part.tag in ("rt", "rtc"):
            reading.append("".join(_pieces(part)).strip())
        elif part.tag != "rp":
            base.append("".join(_pieces(part)))
        base.append(part.tail or "")
    said = "".join(reading)
    return f"{''.join(base)} ({said}) " if said else "".join(base)


def _pieces(element: _Element, whole: str = "") -> Iterator[str]:
    """`whole` is the tag of what is read by `ruby_text`, inside which there is no other."""
    from lxml import etree

    walk = etree.iterwalk(element, events=("start", "end"))
    for event, part in walk:
        around = " " if is_block(part) else ""
        if event == "end":
            skipped = part.tag == whole or is_hidden(part)
            yield around if skipped else f"{text_after(part)}{around}"
            yield part.tail or "" if part is not element else ""
        elif is_hidden(part):
            walk.skip_subtree()
        elif part.tag == whole:
            walk.skip_subtree()
            yield ruby_text(part)
        else:
            yield f"{around}{text_before(part)}"


def _is_apart(element: _Element) -> bool:
    tag = element.tag
    if tag in _APART or "-" in tag:  # elements of one's own have a hyphen in their name
        return True
    if tag == "tspan":  # a line of its own where it has a place of its own
        return any(element.get(name) for name in ("x", "y", "dy"))
    return tag == "sup" and len(element) > 0 and element[0].tag == "a"  # the number of a footnote


def _said_by_attributes(element: _Element) -> str:
    match element.tag:
        case "img" | "area":
            return element.get("alt") or element.get("title") or ""
        case "input":
            return _said_by_input(element)
        case "textarea" if not element.text:
            return element.get("placeholder") or ""
        case "optgroup":
            return f"{element.get('label') or ''} "
        case "option" if not element.text:
            return element.get("label") or ""
        case tag if tag in _WITH_LABEL and not any(text.strip() for text in element.itertext()):
            return element.get("aria-label") or element.get("title") or ""
    return ""


def _said_by_input(element: _Element) -> str:
    kind = (element.get("type") or "text").lower()
    if kind in _UNSEEN_INPUTS:
        return ""
    return (element.get("alt") if kind == "image" else element.get("value") or element.get("placeholder")) or ""
