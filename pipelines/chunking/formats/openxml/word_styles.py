"""What Word's styles say of a paragraph: whether it is a heading or an item of a list, and how deep."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.chunking.formats.openxml.xml import attribute, child, child_value, whole_number

if TYPE_CHECKING:
    from lxml.etree import _Element

_HEADING = re.compile(r"heading (\d)$")
_LIST = re.compile(r"list (?:bullet|number)(?: (\d))?$")
_TITLES = {"title": 1, "subtitle": 2, "toc heading": 1}
_HEADING_LEVELS = 9


@dataclass(frozen=True, slots=True)
class ParagraphRole:
    """`heading` is a level from 1, `item` a depth from 0; both None for text."""

    heading: int | None = None
    item: int | None = None


_TEXT = ParagraphRole()


class WordStyles:
    """The roles that styles give, by the styles' ids; built-in names are English in every language of Word."""

    def __init__(self, root: _Element | None) -> None:
        self._styles = (
            {} if root is None else {attribute(style, "styleId"): style for style in root.iterfind("{*}style")}
        )
        self._roles: dict[str, ParagraphRole] = {}

    def role(self, properties: _Element | None) -> ParagraphRole:
        """What a paragraph is, by its own properties and then by its style's."""
        if properties is None:
            return _TEXT
        style = self._style_role(child_value(properties, "pStyle") or "")
        own = _own_role(properties)
        if own.heading or style.heading:
            return ParagraphRole(heading=own.heading or style.heading)
        if child_value(properties, "numPr", "numId") == "0":  # taken out of the list that its style is of
            return ParagraphRole()
        return own if own.item is not None else style

    def _style_role(self, style_id: str) -> ParagraphRole:
        if style_id not in self._roles:
            self._roles[style_id] = ParagraphRole()  # a style may be based on itself
            self._roles[style_id] = self._find_role(style_id)
        return self._roles[style_id]

    def _find_role(self, style_id: str) -> ParagraphRole:
        style = self._styles.get(style_id)
        if style is None:
            return ParagraphRole()
        name = (child_value(style, "name") or "").lower()
        if found := _HEADING.match(name):
            return ParagraphRole(heading=int(found[1]))
        if name in _TITLES:
            return ParagraphRole(heading=_TITLES[name])
        if found := _LIST.match(name):
            return ParagraphRole(item=int(found[1] or 1) - 1)
        properties = child(style, "pPr")
        own = ParagraphRole() if properties is None else _own_role(properties)
        return own if own != ParagraphRole() else self._base_role(style)

    def _base_role(self, style: _Element) -> ParagraphRole:
        base = child_value(style, "basedOn")
        return self._style_role(base) if base else ParagraphRole()


def _own_role(properties: _Element) -> ParagraphRole:
    level = whole_number(child_value(properties, "outlineLvl"), _HEADING_LEVELS)
    if level < _HEADING_LEVELS:  # the level after the last is that of text
        return ParagraphRole(heading=level + 1)
    numbering = properties.find("{*}numPr")
    if numbering is None or child_value(numbering, "numId") in (None, "0"):
        return ParagraphRole()
    return ParagraphRole(item=min(whole_number(child_value(numbering, "ilvl")), _HEADING_LEVELS))
