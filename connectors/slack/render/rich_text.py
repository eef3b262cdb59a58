"""Rich text to Markdown: what people write in Slack's own editor.

https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from connectors.slack.payloads import BlockNode, BlockValue
from connectors.slack.render.dates import format_date
from connectors.slack.render.mrkdwn import Names, link
from connectors.slack.render.structure import longer_fence

OtherText: TypeAlias = Callable[[BlockNode], str]
"""The text of an element that is not known here."""

_STYLES = (("strike", "~~"), ("italic", "*"), ("bold", "**"))
"""From the innermost mark to the outermost, around code."""


def render_rich_text(block: BlockNode, names: Names, other: OtherText) -> str:
    return "\n".join(_part(element, names, other) for element in block.nodes())


def _part(element: BlockNode, names: Names, other: OtherText) -> str:
    """A section, list, quote or preformatted text."""
    if element.kind == "rich_text_list":
        return _list(element, names, other)
    inside = "".join(_inline(child, names, other) for child in element.nodes())
    if element.kind == "rich_text_preformatted":
        fence = longer_fence(inside)
        return f"{fence}\n{inside}\n{fence}"
    if element.kind == "rich_text_quote":
        return "\n".join(f"> {line}" for line in inside.splitlines())
    return inside or other(element)


def _list(element: BlockNode, names: Names, other: OtherText) -> str:
    """`indent` is the depth of the list, `offset` how many numbers of an ordered one are left out."""
    indent = "  " * element.count("indent")
    ordered = element.string("style") == "ordered"
    return "\n".join(
        f"{indent}{f'{number}.' if ordered else '-'} {_part(child, names, other)}"
        for number, child in enumerate(element.nodes(), start=element.count("offset") + 1)
    )


def _inline(element: BlockNode, names: Names, other: OtherText) -> str:
    match element.kind:
        case "text":
            return _in_style(element.string("text"), element.value("style"))
        case "link":
            return _link(element)
        case "emoji":
            return f":{element.string('name')}:"
        case "date":
            return element.string("fallback") or format_date(element.count("timestamp"), element.string("format"))
        case "color":
            return element.string("value")
        case kind:
            return _MENTIONS[kind](element, names) if kind in _MENTIONS else other(element)


def _link(element: BlockNode) -> str:
    url, text = element.string("url"), element.string("text")
    return link(text, url) if text and text != url else url


def _reference(element: BlockNode, names: Names) -> str:
    """A file, message, workflow or other thing, by the words that stand for it, or else by its address."""
    words = element.string("text") or element.string("label") or element.string("salesforce_field_label")
    return link(words, element.string("url")) if words else element.string("url")


def _message(element: BlockNode, names: Names) -> str:
    channel = element.string("channel_id") or element.string("root_message_channel")
    return _reference(element, names) or (names.channel(channel) if channel else "")


def _citation(element: BlockNode, names: Names) -> str:
    """A source of an answer, with what it says: https://docs.slack.dev/reference/block-kit/block-elements/citation-element"""
    details = element.value("details")
    shown = [_reference(element, names)]
    if isinstance(details, BlockNode):
        shown += [details.string(name) for name in ("app_name", "display_name", "title", "snippet")]
    return ", ".join(dict.fromkeys(filter(None, shown)))


def _user(element: BlockNode, names: Names) -> str:
    return f"@{names.user(element.string('user_id'))}"


_MENTIONS: dict[str, Callable[[BlockNode, Names], str]] = {
    **dict.fromkeys(
        (
            "attachment_mention",
            "canvas",
            "file",
            "list_record",
            "salesforce_data_field",
            "tag",
            "team",
            "work_object_mention",
            "workflow_mention",
        ),
        _reference,
    ),
    **dict.fromkeys(("canvas_message_unfurl", "message_mention"), _message),
    **dict.fromkeys(("canvas_user_mention", "user"), _user),
    "broadcast": lambda element, names: f"@{element.string('range')}",
    "channel": lambda element, names: names.channel(element.string("channel_id")),
    "citation": _citation,
    "usergroup": lambda element, names: f"@{names.usergroup(element.string('usergroup_id'))}",
}
"""Elements that stand for something else. https://docs.slack.dev/reference/block-kit/block-elements"""


def _in_style(text: str, style: BlockValue) -> str:
    core = text.strip()
    if not core or not isinstance(style, BlockNode):
        return text
    marked = _code(core) if style.value("code") else core
    for name, mark in _STYLES:
        if style.value(name):
            marked = f"{mark}{marked}{mark}"
    return text.replace(core, marked, 1)


def _code(text: str) -> str:
    """https://spec.commonmark.org/0.31.2/#code-spans"""
    return f"`` {text} ``" if "`" in text else f"`{text}`"
