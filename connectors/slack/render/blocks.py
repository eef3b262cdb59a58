"""Block Kit to Markdown: every text of every block, known or not. https://docs.slack.dev/reference/block-kit"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.slack.client import Payload
from connectors.slack.payloads import count, dicts, unescaped
from connectors.slack.render.mrkdwn import Names, markdown

_TEXT_KEYS = ("title", "text", "label", "alt_text", "description", "details", "fields", "elements", "rows", "accessory")
"""Where blocks carry text, in reading order."""

_HIDDEN_KEYS = {
    "channels",
    "color",
    "confirm",
    "filter",
    "icon",
    "range",
    "slack_file",
    "source",
    "status",
    "style",
    "type",
    "value",
}
_HIDDEN_ENDS = ("id", "url", "value", "_urls", "_participants", "_ts", "_type", "_style", "_color")
"""What blocks carry that nobody is shown. Whatever else there is, in blocks that are not known here, is text."""


def render_blocks(blocks: Any, names: Names) -> str:
    """The texts of a message's blocks."""
    return "\n\n".join(text for block in dicts(blocks) if (text := _block(block, names).strip()))


def _block(block: Payload, names: Names) -> str:
    kind = block.get("type")
    if kind == "rich_text":
        return "\n".join(_rich(element, names) for element in dicts(block.get("elements")))
    if kind == "header":
        return f"**{_any(block.get('text'), names)}**"
    if kind in ("table", "data_table"):
        caption = _any(block.get("caption"), names)
        return "\n\n".join(text for text in (caption, _table(block, names)) if text)
    if kind == "divider":
        return ""
    return "\n".join(_texts(block, names))


def _rich(element: Payload, names: Names, depth: int = 0) -> str:
    """A part of a rich text: section, list, quote or preformatted."""
    kind = element.get("type")
    children = dicts(element.get("elements"))
    if kind == "rich_text_list":
        indent = "  " * count(element.get("indent"))
        ordered = element.get("style") == "ordered"
        start = count(element.get("offset")) + 1
        return "\n".join(
            f"{indent}{f'{number}.' if ordered else '-'} {_rich(child, names, depth + 1)}"
            for number, child in enumerate(children, start=start)
        )
    inside = "".join(_inline(child, names) for child in children)
    if kind == "rich_text_preformatted":
        return f"```\n{inside}\n```"
    if kind == "rich_text_quote":
        return "\n".join(f"> {line}" for line in inside.splitlines())
    return inside or _any(element.get("text"), names)


def _inline(element: Payload, names: Names) -> str:
    match element.get("type"):
        case "text":
            return _styled(str(element.get("text") or ""), element.get("style"))
        case "link":
            url, text = str(element.get("url") or ""), element.get("text")
            return f"[{text}]({url})" if text and text != url else url
        case "user":
            return f"@{names.user(str(element.get('user_id') or ''))}"
        case "channel":
            return f"#{names.channel(str(element.get('channel_id') or ''))}"
        case "usergroup":
            return f"@{names.usergroup(str(element.get('usergroup_id') or ''))}"
        case "emoji":
            return f":{element.get('name')}:"
        case "broadcast":
            return f"@{element.get('range')}"
        case "date":
            return str(element.get("fallback") or element.get("timestamp") or "")
        case "color":
            return str(element.get("value") or "")
        case _:
            return "\n".join(_texts(element, names))


def _styled(text: str, style: Any) -> str:
    if not isinstance(style, dict) or not text.strip():
        return text
    for name, mark in (("code", "`"), ("strike", "~~"), ("italic", "*"), ("bold", "**")):
        if style.get(name):
            core = text.strip()
            text = text.replace(core, f"{mark}{core}{mark}", 1)
    return text


def _table(block: Payload, names: Names) -> str:
    rows = [[_cell(cell, names) for cell in row] for row in _list(block.get("rows")) if isinstance(row, list)]
    if not rows:
        return ""
    width = max(map(len, rows))
    lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows]
    return "\n".join([lines[0], f"|{' --- |' * width}", *lines[1:]])


def _cell(cell: Any, names: Names) -> str:
    text = _block(cell, names) if isinstance(cell, dict) and cell.get("type") == "rich_text" else _any(cell, names)
    return " ".join(text.split()).replace("|", "\\|")


def _texts(value: Payload, names: Names) -> Iterator[str]:
    others = (key for key in value if key not in _TEXT_KEYS and not _is_hidden(str(key)))
    for key in (*_TEXT_KEYS, *others):
        if text := _any(value.get(key), names):
            yield text


def _is_hidden(key: str) -> bool:
    return key in _HIDDEN_KEYS or key.endswith(_HIDDEN_ENDS)


def _any(value: Any, names: Names) -> str:
    """The text in whatever carries it: a string, a text object, a list of either."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(text for entry in value if (text := _any(entry, names)))
    if not isinstance(value, dict):
        return ""
    if value.get("type") in ("mrkdwn", "plain_text", "raw_text"):
        text = str(value.get("text") or "")
        return markdown(text, names) if value["type"] == "mrkdwn" else unescaped(text)
    if _is_figure(value):
        return ": ".join(str(part) for part in (value.get("label"), value["value"]) if part is not None)
    return _block(value, names)


def _is_figure(value: Payload) -> bool:
    """Whether this is a number of a table or chart, not something that has another text."""
    number = value.get("value")
    return isinstance(number, int | float) and not isinstance(number, bool) and not value.get("text")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
