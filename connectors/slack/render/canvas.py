"""A canvas, which Slack gives as HTML with ids in place of names, as HTML that says what people see. Pure.

https://docs.slack.dev/surfaces/canvases
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from connectors.slack.render.mrkdwn import Names

_TAG = re.compile(r"(<[^<>]*>)")
_NAME = re.compile(r"<\s*(/?)\s*([a-zA-Z][\w-]*)")
_ATTRIBUTE = re.compile(r"([\w-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_MENTION = re.compile(r"^\s*([@#!]?)([A-Z][A-Z0-9]+)\s*$")
_CHECKLIST = "7"
"""The style of a section whose items can be ticked; `checked` is the class of those that are."""


def render_canvas(html: str, names: Names) -> str:
    """The canvas with people, channels and groups by name, items ticked or not, and each emoji once."""
    return "".join(_Canvas(names).parts(_TAG.split(html)))


class _Canvas:
    def __init__(self, names: Names) -> None:
        self._names = names
        self._controls = 0
        self._checklists: list[bool] = []
        self._emoji = ""

    def parts(self, pieces: list[str]) -> Iterator[str]:
        """Text and tags in turn, the first a text."""
        for place, piece in enumerate(pieces):
            yield self._tag(piece) if place % 2 else self._text(piece)
        yield self._left_emoji()

    def _text(self, text: str) -> str:
        if not text:
            return ""
        # An emoji stands in the alternative text of its picture, and mostly after that as well.
        before = "" if text.lstrip().startswith(":") else self._left_emoji()
        self._emoji = ""
        return before + (_mention(text, self._names) if self._controls else text)

    def _left_emoji(self) -> str:
        emoji, self._emoji = self._emoji, ""
        return f":{escape(emoji)}:" if emoji else ""

    def _tag(self, tag: str) -> str:
        found = _NAME.match(tag)
        if not found:
            return tag
        closes, name = bool(found[1]), found[2].lower()
        if name == "img":
            return self._image(tag, closes)
        before = self._left_emoji()
        if name == "control":
            self._controls = max(self._controls + (-1 if closes else 1), 0)
        elif name == "div":
            self._section(tag, closes)
        elif name == "li" and not closes and any(self._checklists):
            is_checked = "checked" in _attributes(tag).get("class", "").split()
            return f"{before}{tag}{'[x] ' if is_checked else '[ ] '}"
        return before + tag

    def _section(self, tag: str, closes: bool) -> None:
        if not closes:
            self._checklists.append(_attributes(tag).get("data-section-style") == _CHECKLIST)
        elif self._checklists:
            self._checklists.pop()

    def _image(self, tag: str, closes: bool) -> str:
        attributes = {} if closes else _attributes(tag)
        if "data-is-slack" not in attributes:
            return "" if closes else tag
        before = self._left_emoji()
        self._emoji = attributes.get("alt", "").strip(":")
        return before


def _attributes(tag: str) -> dict[str, str]:
    found = _ATTRIBUTE.finditer(tag.rstrip("/>").partition(" ")[2])
    return {one[1].lower(): next(filter(None, one.groups()[1:]), "") for one in found}


def _mention(text: str, names: Names) -> str:
    """The name behind an id that a control holds: of somebody, a user group or a channel."""
    found = _MENTION.match(text)
    if not found:
        return text
    mark, object_id = found[1], found[2]
    if mark == "#" or (not mark and object_id.startswith(("C", "G"))):
        return escape(names.channel(object_id))
    if not mark and not object_id.startswith(("U", "W", "S", "B")):
        return text
    known = names.usergroup(object_id) if object_id.startswith("S") else names.user(object_id)
    return f"@{escape(known)}"
