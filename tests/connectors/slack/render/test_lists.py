"""A Slack List whose rows are told one by one."""

from __future__ import annotations

from typing import Any

from connectors.slack.payloads import SlackFile, SlackListItem
from connectors.slack.render.lists import list_as_csv
from connectors.slack.render.mrkdwn import Names

NAMES = Names(lambda user: f"name-of-{user}", lambda channel: f"#{channel}", lambda group: group)
CHOICES = {"choices": [{"value": "q", "label": "Queued", "color": "red"}, {"value": "d", "label": "Done"}]}
COLUMNS: list[dict[str, Any]] = [
    {"id": "Col1", "key": "name", "name": "Name", "type": "text", "is_primary_column": True},
    {"id": "Col2", "key": "status", "name": "Status", "type": "select", "options": CHOICES},
    {"id": "Col3", "key": "who", "name": "Who", "type": "user"},
    {"id": "Col4", "key": "due", "name": "Due", "type": "date"},
    {"id": "Col5", "key": "ok", "name": "OK", "type": "checkbox"},
    {"id": "Col6", "key": "more", "name": "More", "type": "rich_text"},
]


def rich(text: str) -> list[dict[str, Any]]:
    return [
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}]}
    ]


ITEM = {
    "id": "Rec1",
    "list_id": "F1",
    "fields": [
        {"key": "name", "column_id": "Col1", "text": 'Ship "it"', "value": "v"},
        {"key": "status", "column_id": "Col2", "select": ["q"], "value": "q"},
        {"key": "who", "column_id": "Col3", "user": ["U1", "U2"], "value": "U1"},
        {"key": "due", "column_id": "Col4", "date": ["2026-03-01"], "value": "2026-03-01"},
        {"key": "ok", "column_id": "Col5", "checkbox": False, "value": False},
        {"key": "more", "column_id": "Col6", "rich_text": rich("see, below"), "value": "v"},
    ],
}


def table(schema: list[dict[str, Any]], *items: dict[str, Any]) -> list[str]:
    file = SlackFile.model_validate({"id": "F1", "list_metadata": {"schema": schema}})
    return list_as_csv(
        file.list_metadata.columns, [SlackListItem.model_validate(one) for one in items], NAMES
    ).splitlines()


def test_cells_are_what_people_see_of_them() -> None:
    other: dict[str, Any] = {
        "fields": [{"key": "links", "link": [{"originalUrl": "https://a.example"}]}, {"key": "name", "text": "Rotate"}]
    }
    assert table(COLUMNS, ITEM, other) == [
        "Name,Status,Who,Due,OK,More",
        '"Ship ""it""",Queued,"@name-of-U1, @name-of-U2",2026-03-01,no,"see, below"',
        "Rotate,,,,,",
    ]


def test_a_list_that_does_not_say_its_columns_is_read_by_those_of_its_rows() -> None:
    link: dict[str, Any] = {"key": "links", "link": [{"originalUrl": "https://a.example"}]}
    assert table(
        [], {"fields": [link, {"key": "count", "number": [3]}]}, {"fields": [{"key": "count", "value": "4"}]}
    ) == [
        "links,count",
        "https://a.example,3",
        ",4",
    ]
