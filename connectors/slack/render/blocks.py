"""Block Kit to Markdown: what people see of every block, and each text of blocks that are not known.

https://docs.slack.dev/reference/block-kit
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connectors.markdown import markdown_table
from connectors.slack.payloads import BlockNode, BlockValue
from connectors.slack.render.dates import format_date
from connectors.slack.render.mrkdwn import Names, link, markdown, unescape
from connectors.slack.render.rich_text import render_rich_text
from connectors.slack.render.shown_fields import (
    CHANNEL_FIELDS,
    CONVERSATION_FIELDS,
    KIND_IN_FIELD,
    USER_FIELDS,
    shown_fields,
)


def render_blocks(blocks: Iterable[BlockNode], names: Names) -> str:
    """The texts of a message's blocks."""
    return "\n\n".join(text for block in blocks if (text := _block(block, names).strip()))


def _block(block: BlockNode, names: Names, kind: str = "") -> str:
    """A block or element; `kind` is what it is where it does not say so itself."""
    match block.kind or kind:
        case "rich_text":
            return render_rich_text(block, names, lambda element: _texts(element, names, element.kind))
        case "header":
            text = _text_of(block.value("text"), names)
            return f"**{text}**" if text else ""
        case "table" | "data_table":
            caption = _text_of(block.value("caption"), names)
            return "\n\n".join(text for text in (caption, _table(block, names)) if text)
        case "call":
            return _call(block, names)
        case "file":
            return _file(block.value("file"))
        case "url":
            return link(block.string("text"), block.string("url"))
        case known:
            return _texts(block, names, known)


def _call(block: BlockNode, names: Names) -> str:
    """What a call is about, and who took part. https://docs.slack.dev/apis/web-api/using-the-calls-api"""
    call = block.value("call")
    details = call.value("v1") if isinstance(call, BlockNode) else None
    if not isinstance(details, BlockNode):
        return ""
    people = [*details.nodes("all_participants"), *details.nodes("active_participants")]
    shown = (_participant(one, names) for one in people)
    return "\n".join(filter(None, (details.string("name"), ", ".join(dict.fromkeys(filter(None, shown))))))


def _participant(person: BlockNode, names: Names) -> str:
    user = person.string("slack_id")
    return f"@{names.user(user)}" if user else person.string("display_name")


def _file(file: BlockValue) -> str:
    name = file.string("title") or file.string("name") if isinstance(file, BlockNode) else ""
    return f"File: {link(name, file.string('permalink'))}" if name and isinstance(file, BlockNode) else ""


def _table(block: BlockNode, names: Names) -> str:
    found = block.value("rows")
    rows = [[_cell(cell, names) for cell in row] for row in _as_list(found) if isinstance(row, list)]
    return markdown_table(rows)


def _cell(cell: BlockValue, names: Names) -> str:
    return " ".join(_text_of(cell, names).split()).replace("|", "\\|")


def _texts(block: BlockNode, names: Names, kind: str) -> str:
    found = (_field(block, name, names) for name in shown_fields(block, kind))
    return "\n".join(text for text in found if text)


def _field(block: BlockNode, name: str, names: Names) -> str:
    if name == "initial_date_time":
        return format_date(block.count(name), "") if block.count(name) else ""
    if name in USER_FIELDS or name in CHANNEL_FIELDS or name in CONVERSATION_FIELDS:
        return ", ".join(_mention(one, name, names) for one in _strings(block.value(name)))
    return _text_of(block.value(name), names, KIND_IN_FIELD.get(name, ""))


def _mention(object_id: str, field: str, names: Names) -> str:
    is_user = field in USER_FIELDS or (field in CONVERSATION_FIELDS and object_id.startswith(("U", "W")))
    return f"@{names.user(object_id)}" if is_user else names.channel(object_id)


def _text_of(value: BlockValue, names: Names, kind: str = "") -> str:
    """The text in whatever carries it: a string, a text object, a list of either."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(text for entry in value if (text := _text_of(entry, names, kind)))
    if not isinstance(value, BlockNode):
        return ""
    if value.kind == "mrkdwn":
        return markdown(value.string("text"), names)
    if value.kind in ("plain_text", "raw_text"):
        return unescape(value.string("text"))
    if _is_figure(value):
        return ": ".join(str(part) for part in (value.value("label"), value.value("value")) if part is not None)
    return _block(value, names, kind)


def _is_figure(node: BlockNode) -> bool:
    """Whether this is a number of a table or chart, not something that has another text."""
    number = node.value("value")
    return isinstance(number, int | float) and not isinstance(number, bool) and not node.string("text")


def _as_list(value: BlockValue) -> list[BlockValue]:
    return value if isinstance(value, list) else []


def _strings(value: BlockValue) -> Iterator[str]:
    return (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str) and one)
