"""Block Kit to Markdown: every text of every block, known or not. https://docs.slack.dev/reference/block-kit"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connectors.markdown import markdown_table
from connectors.slack.payloads import BlockNode, BlockValue
from connectors.slack.render.mrkdwn import Names, markdown, unescape

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


_STYLES = (("code", "`"), ("strike", "~~"), ("italic", "*"), ("bold", "**"))
"""From the innermost mark to the outermost."""


def render_blocks(blocks: Iterable[BlockNode], names: Names) -> str:
    """The texts of a message's blocks."""
    return "\n\n".join(text for block in blocks if (text := _block(block, names).strip()))


def _block(block: BlockNode, names: Names) -> str:
    match block.kind:
        case "rich_text":
            return "\n".join(_rich(element, names) for element in block.nodes())
        case "header":
            return f"**{_text_of(block.value('text'), names)}**"
        case "table" | "data_table":
            caption = _text_of(block.value("caption"), names)
            return "\n\n".join(text for text in (caption, _table(block, names)) if text)
        case "divider":
            return ""
        case _:
            return "\n".join(_texts(block, names))


def _rich(element: BlockNode, names: Names) -> str:
    """A part of a rich text: section, list, quote or preformatted."""
    if element.kind == "rich_text_list":
        return _list(element, names)
    inside = "".join(_inline(child, names) for child in element.nodes())
    if element.kind == "rich_text_preformatted":
        return f"```\n{inside}\n```"
    if element.kind == "rich_text_quote":
        return "\n".join(f"> {line}" for line in inside.splitlines())
    return inside or _text_of(element.value("text"), names)


def _list(element: BlockNode, names: Names) -> str:
    """`indent` is the depth of the list, `offset` how many numbers of an ordered one are left out."""
    indent = "  " * element.count("indent")
    ordered = element.string("style") == "ordered"
    return "\n".join(
        f"{indent}{f'{number}.' if ordered else '-'} {_rich(child, names)}"
        for number, child in enumerate(element.nodes(), start=element.count("offset") + 1)
    )


def _inline(element: BlockNode, names: Names) -> str:
    match element.kind:
        case "text":
            return _in_style(element.string("text"), element.value("style"))
        case "link":
            url, text = element.string("url"), element.string("text")
            return f"[{text}]({url})" if text and text != url else url
        case "user":
            return f"@{names.user(element.string('user_id'))}"
        case "channel":
            return names.channel(element.string("channel_id"))
        case "usergroup":
            return f"@{names.usergroup(element.string('usergroup_id'))}"
        case "emoji":
            return f":{element.string('name')}:"
        case "broadcast":
            return f"@{element.string('range')}"
        case "date":
            return element.string("fallback") or element.string("timestamp")
        case "color":
            return element.string("value")
        case _:
            return "\n".join(_texts(element, names))


def _in_style(text: str, style: BlockValue) -> str:
    core = text.strip()
    if not core or not isinstance(style, BlockNode):
        return text
    marked = core
    for name, mark in _STYLES:
        if style.value(name):
            marked = f"{mark}{marked}{mark}"
    return text.replace(core, marked, 1)


def _table(block: BlockNode, names: Names) -> str:
    found = block.value("rows")
    rows = [[_cell(cell, names) for cell in row] for row in _as_list(found) if isinstance(row, list)]
    return markdown_table(rows)


def _cell(cell: BlockValue, names: Names) -> str:
    return " ".join(_text_of(cell, names).split()).replace("|", "\\|")


def _texts(block: BlockNode, names: Names) -> Iterator[str]:
    others = (name for name in block if name not in _TEXT_KEYS and not _is_hidden(name))
    for name in (*_TEXT_KEYS, *others):
        if text := _text_of(block.value(name), names):
            yield text


def _is_hidden(name: str) -> bool:
    return name in _HIDDEN_KEYS or name.endswith(_HIDDEN_ENDS)


def _text_of(value: BlockValue, names: Names) -> str:
    """The text in whatever carries it: a string, a text object, a list of either."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(text for entry in value if (text := _text_of(entry, names)))
    if not isinstance(value, BlockNode):
        return ""
    if value.kind == "mrkdwn":
        return markdown(value.string("text"), names)
    if value.kind in ("plain_text", "raw_text"):
        return unescape(value.string("text"))
    if _is_figure(value):
        return ": ".join(str(part) for part in (value.value("label"), value.value("value")) if part is not None)
    return _block(value, names)


def _is_figure(node: BlockNode) -> bool:
    """Whether this is a number of a table or chart, not something that has another text."""
    number = node.value("value")
    return isinstance(number, int | float) and not isinstance(number, bool) and not node.string("text")


def _as_list(value: BlockValue) -> list[BlockValue]:
    return value if isinstance(value, list) else []
