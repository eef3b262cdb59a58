"""XML read portion by portion, within bounds of memory and without entities."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from pipelines.chunking.formats.openxml.xml import local_name
from pipelines.errors import DocumentError

if TYPE_CHECKING:
    from lxml.etree import _Element

_MARKUP = 1_500_000
"""Tags and attributes that may be in memory at once; the parser's tree takes about 100 bytes for each."""
_FORGET_EVERY = 256
_DOCTYPES = (b"<!DOCTYPE", "<!DOCTYPE".encode("utf-16-le"), "<!DOCTYPE".encode("utf-16-be"))
_PARSING = {
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "remove_comments": True,
    "remove_pis": True,
}


class XmlError(Exception):
    """What should be XML is none, or declares a document type."""


def stream_elements(
    portions: Iterable[bytes], whole: Collection[str], ends: Collection[str] = (), passed: Collection[str] = ()
) -> Iterator[_Element]:
    """Each element of a name in `whole` that is in no other such, complete; it is gone when the next is asked for.

    With `ends`, also elements of these names that are in none of `whole`, without what was told of before; nothing in
    what has a name in `passed`. So the memory needed is that of one element. Raises XmlError where the XML ends or
    breaks, DocumentError where one element is too large.
    """
    from lxml import etree

    parser = etree.XMLPullParser(("end",), tag=[f"{{*}}{name}" for name in (*whole, *ends)], **_PARSING)
    around = frozenset((*whole, *passed))
    known, is_inner, told, markup = None, False, 0, 0
    try:
        for portion in _without_entities(portions):
            markup = _count_markup(portion, markup)
            parser.feed(portion)
            for _, element in parser.read_events():
                if (parent := element.getparent()) is not known:  # most have the same as the one before
                    known, is_inner = parent, _is_inside(element, around)
                if not is_inner:
                    yield element
                    told, markup = told + 1, 0
                    _forget(element, told)
        parser.close()
    except etree.XMLSyntaxError as error:
        raise XmlError(str(error)) from None


def parse_portions(portions: Iterable[bytes], *, is_lenient: bool = False) -> _Element:
    """The root element; leniently also of VML, in which Excel writes `<br>` as HTML does. Raises as `stream_elements`
    does."""
    from lxml import etree

    parser = etree.XMLParser(**_PARSING, recover=is_lenient)
    markup = 0
    try:
        for portion in _without_entities(portions):
            markup = _count_markup(portion, markup)
            parser.feed(portion)
        return parser.close()
    except etree.XMLSyntaxError as error:
        raise XmlError(str(error)) from None


def root_name(portions: Iterable[bytes]) -> str:
    """The root's name, "" if it does not begin in the first portion. Raises XmlError."""
    from lxml import etree

    parser = etree.XMLPullParser(("start",), **_PARSING)
    try:
        parser.feed(next(_without_entities(portions)))
        return next((local_name(element) for _, element in parser.read_events()), "")
    except etree.XMLSyntaxError as error:
        raise XmlError(str(error)) from None


def _without_entities(portions: Iterable[bytes]) -> Iterator[bytes]:
    """The same portions; entities need a document type, which Office files may not have (ECMA-376-2, 7.2)."""
    rest = iter(portions)
    first = next(rest, b"")
    if any(mark in first for mark in _DOCTYPES):
        raise XmlError("it declares a document type, which Office files may not")
    return chain([first], rest)


def _count_markup(portion: bytes, before: int) -> int:
    """About how many tags and attributes there are, with those `before`. Raises DocumentError for too many."""
    count = before + portion.count(b"<") + portion.count(b"=")
    if count > _MARKUP:
        raise DocumentError(f"too expensive: over {_MARKUP:,} tags and attributes in one piece of it")
    return count


def _is_inside(element: _Element, names: Collection[str]) -> bool:
    """Whether an element is in one of some names. A loop: lxml's own search takes three times as long."""
    parent = element.getparent()
    while parent is not None:
        if local_name(parent) in names:
            return True
        parent = parent.getparent()
    return False


def _forget(element: _Element, count: int) -> None:
    """Free what has been read: the element's content, and now and then what is before it in all that is open."""
    element.clear()
    if count % _FORGET_EVERY:
        return
    for node in (element, *element.iterancestors()):
        parent = node.getparent()
        while parent is not None and node.getprevious() is not None:
            del parent[0]
