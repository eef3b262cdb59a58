"""A Slack List as a table. Pure. https://docs.slack.dev/reference/methods/slackLists.items.list"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from connectors.slack.payloads import BlockNode, BlockValue, SlackListItem
from connectors.slack.render.blocks import render_blocks
from connectors.slack.render.dates import format_date
from connectors.slack.render.mrkdwn import Names

_OPEN_ENDED = ("date", "email", "link", "number", "phone", "rating", "reference", "attachment", "message")
"""Fields of a cell that hold what they show, in a list."""


def list_as_csv(columns: Sequence[BlockNode], items: Iterable[SlackListItem], names: Names) -> str:
    """The items of a list, one a row, under the names of its columns."""
    rows = [{cell.string("column_id") or cell.string("key"): cell for cell in item.fields} for item in items]
    shown = list(columns) or [
        BlockNode({"id": name, "name": name}) for name in dict.fromkeys(x for r in rows for x in r)
    ]
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow([column.string("name") or column.string("key") for column in shown])
    table.writerows([_cell(_find(row, column), column, names) for column in shown] for row in rows)
    return written.getvalue()


def _find(row: dict[str, BlockNode], column: BlockNode) -> BlockNode | None:
    return row.get(column.string("id")) or row.get(column.string("key"))


def _cell(cell: BlockNode | None, column: BlockNode, names: Names) -> str:
    if cell is None:
        return ""
    if isinstance(ticked := cell.value("checkbox"), bool):
        return "yes" if ticked else "no"
    if text := cell.string("text") or render_blocks(cell.nodes("rich_text"), names):
        return text
    return ", ".join(filter(None, _values(cell, column, names))) or cell.string("value")


def _values(cell: BlockNode, column: BlockNode, names: Names) -> list[str]:
    options = column.value("options")
    choices = options.nodes("choices") if isinstance(options, BlockNode) else []
    labels = {one.string("value"): one.string("label") for one in choices}
    return [
        *(f"@{names.user(one)}" for one in _strings(cell.value("user"))),
        *(names.channel(one) for one in _strings(cell.value("channel"))),
        *(labels.get(one, one) for one in _strings(cell.value("select"))),
        *(format_date(int(one), "{date}") for one in _strings(cell.value("timestamp")) if one.isdecimal()),
        *(one for name in _OPEN_ENDED for one in _strings(cell.value(name))),
    ]


def _strings(value: BlockValue) -> list[str]:
    """What a cell's field holds, as text; of an object, what stands for it."""
    found = value if isinstance(value, list) else [value]
    return [text for one in found if (text := _string(one))]


def _string(value: BlockValue) -> str:
    if isinstance(value, BlockNode):
        names = ("displayName", "display_name", "title", "name", "value", "originalUrl", "url")
        return next(filter(None, map(value.string, names)), "")
    return str(value) if isinstance(value, str | int | float) else ""
