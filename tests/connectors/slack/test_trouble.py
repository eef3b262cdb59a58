"""What real workspaces answer beside what is documented: nothing of it stops a channel, or loses the rest."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.contract import Checkpoint, Failed
from connectors.errors import AccessDenied, InvalidResponse
from connectors.model import Document, Unit
from connectors.slack.render.messages import author_name, render_body
from connectors.slack.render.mrkdwn import Names
from connectors.slack.source import SlackConnector
from tests.connectors.slack.conftest import open_connector, parse_message, read_items, text_of
from tests.emulators.slack import Slack

UNIT = Unit("C1", "general")
TS = "1772355600.000100"
NAMES = Names(lambda user: user, lambda channel: f"#{channel}", lambda group: group)


def read_text(connector: SlackConnector) -> str:
    return "\n".join(text_of(one) for one in connector.read(UNIT) if isinstance(one, Document))


@pytest.mark.parametrize(
    "odd",
    [
        {"edited": True},
        {"attachments": 3},
        {"attachments": [{"fields": {"title": "x"}, "actions": 1, "message_blocks": {"message": []}}]},
        {"files": {"id": "F1"}},
        {"files": [{"id": "F1", "created": "yesterday", "size": "big"}]},
        {"user": None, "bot_profile": "a bot"},
        {"thread_ts": None},
        {"blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_list", "indent": "deep", "elements": []}]}]},
        {"blocks": [{"type": "table", "rows": 7}]},
    ],
)
def test_an_odd_message_leaves_its_day_alone(slack: Slack, connector: SlackConnector, odd: dict[str, Any]) -> None:
    slack.post("C1", TS, "odd one", **odd)
    slack.post("C1", "1772355700.000100", "plain one")
    # Some servers give every field, and null where there is nothing.
    slack.answers["conversations.history"] = lambda form: {"messages": list(slack.messages["C1"].values())}
    assert all(text in read_text(connector) for text in ("odd one", "plain one"))


def nested(depth: int) -> dict[str, Any]:
    """A block within blocks."""
    block: dict[str, Any] = {"type": "section", "text": "innermost"}
    for _ in range(depth):
        block = {"type": "container", "child_blocks": [block]}
    return block


def test_what_cannot_be_read_is_recorded_and_the_rest_read(slack: Slack, connector: SlackConnector) -> None:
    slack.post("C1", TS, "first day", blocks=[nested(200)])
    slack.post("C1", "1772460000.000100", "second day", user="U2")
    items = read_items(connector, UNIT)
    second, failed, _ = (one for one in items if not isinstance(one, Checkpoint) or one.complete)
    assert isinstance(second, Document)
    assert isinstance(failed, Failed)
    assert "not as documented: RecursionError" in failed.error


def test_entries_that_are_no_messages_are_passed_over(slack: Slack, connector: SlackConnector) -> None:
    entries = [None, "text", {"ts": "soon"}, {"ts": 5}, {"ts": TS, "user": "U1", "text": "a message"}]
    slack.answers["conversations.history"] = lambda form: {"messages": entries}
    assert read_text(connector).endswith("a message")


@pytest.mark.parametrize("denied", [("users.list",), ("users.list", "users.info")])
def test_without_the_scope_for_people_they_keep_their_ids(
    slack: Slack, connector: SlackConnector, denied: tuple[str, ...]
) -> None:
    for number in range(9):
        slack.post("C1", f"17723556{number:02d}.000100", f"asks <@U7{number}>", user=f"U{number}")
    refused = {"ok": False, "error": "missing_scope", "needed": "users:read"}
    slack.interrupt = lambda method, form: refused if method in denied else None
    assert all(f"asks @U7{number}" in read_text(connector) for number in range(9))
    assert [method for method, _ in slack.calls].count("users.list") == 1


def test_pages_that_overlap_show_a_message_once(slack: Slack, connector: SlackConnector) -> None:
    """Messages that come while the pages are read move others to the next page."""
    entries = [{"ts": f"17723556{number:02d}.000100", "user": "U1", "text": f"message-{number}"} for number in range(9)]

    def history(form: dict[str, str]) -> dict[str, Any]:
        start = int(form.get("cursor") or 0)
        following = {"next_cursor": str(start + 3)} if start < 6 else {"next_cursor": ""}
        page = entries[::-1][max(start - 2, 0) : start + 3]
        return {"messages": page, "has_more": start < 6, "response_metadata": following}

    slack.answers["conversations.history"] = history
    assert [read_text(connector).count(f"message-{number}") for number in range(9)] == [1] * 9


def test_the_same_page_under_new_cursors_ends_the_read(slack: Slack, connector: SlackConnector) -> None:
    slack.post("C1", TS, "again and again")
    page = {"messages": list(slack.messages["C1"].values()), "has_more": True}
    slack.answers["conversations.history"] = lambda form: (
        page | {"response_metadata": {"next_cursor": f"c{len(slack.calls)}"}}
    )
    with pytest.raises(InvalidResponse):
        read_items(connector, UNIT)


@pytest.fixture
def bot(slack: Slack) -> SlackConnector:
    """A bot's token, for a channel that it is not in."""
    slack.bot_id = "B1"
    refused = {"ok": False, "error": "not_in_channel"}
    slack.interrupt = lambda method, form: refused if method == "conversations.history" else None
    return open_connector(slack)


def test_an_archived_channel_that_a_bot_had_to_leave_keeps_what_was_read(slack: Slack, bot: SlackConnector) -> None:
    slack.channels["C1"] |= {"is_archived": True, "is_member": False}
    cursor = {"seen": {TS: "abc@"}, "days": {}}
    assert read_items(bot, next(bot.units()), cursor) == [Checkpoint(cursor)]
    with pytest.raises(AccessDenied):  # so that nothing is taken for deleted
        list(bot.listing(UNIT))


def test_a_channel_in_use_that_refuses_the_bot_is_an_error(bot: SlackConnector) -> None:
    with pytest.raises(AccessDenied):
        read_items(bot, UNIT)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ({"user": "U9", "user_profile": {"display_name": "", "real_name": "Zoe Far"}}, "Zoe Far"),
        ({"user": "U9", "bot_id": "B1", "bot_profile": {"name": "deployer"}}, "deployer"),
        ({"bot_id": "B1", "bot_profile": {"name": "deployer"}}, "deployer"),
        ({"user": "U9", "username": "hook"}, "hook"),
        ({"bot_id": "B1"}, "B1"),
        ({"user": "U9"}, "U9"),
        ({}, "unknown"),
    ],
)
def test_who_said_it_where_the_directory_does_not_know(message: dict[str, Any], name: str) -> None:
    assert author_name(parse_message(message), NAMES) == name


def cells(*values: str | dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "raw_text", "text": one} if isinstance(one, str) else one for one in values]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"text": "<@U9|zoe> and <@U8>"}, "@zoe and @U8"),
        ({"text": "<https://a.example/?a=1&amp;copy=2> AT&amp;T &copy; &amp;lt;"},
         "https://a.example/?a=1&copy=2 AT&T &copy; &lt;"),
        ({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Q&amp;A &lt;1&gt;"}}]}, "**Q&A <1>**"),
        ({"attachments": [{"title": "R&amp;D", "title_link": "https://a.example", "footer": "A&amp;B"}]},
         "> [R&D](https://a.example)\n> A&B"),
        ({"blocks": [{"type": "data_table", "caption": "Sales", "rows": [
            cells("Region", "Sum"), cells("EU", {"type": "raw_number", "value": 12.5})]}]},
         "Sales\n\n| Region | Sum |\n| --- | --- |\n| EU | 12.5 |"),
        ({"blocks": [{"type": "data_visualization", "title": "Pies", "chart": {
            "type": "pie", "segments": [{"label": "Apple", "value": 45}, {"label": "Plum", "value": 0}]}}]},
         "Pies\nApple: 45\nPlum: 0"),
        ({"blocks": [{"type": "call", "call_id": "R1", "call": {"v1": {
            "id": "R1", "name": "Standup", "channels": ["C1"], "app_icon_urls": {"image_32": "https://i.example"}}}}]},
         "Standup"),
        ({"files": [{"id": "F1", "title": "Clip", "alt_txt": "a chart", "transcription": {
            "status": "complete", "preview": {"content": "spoken words", "has_more": True}}}]},
         "File: Clip\na chart\nspoken words"),
        ({"files": [{"id": "F1", "mode": "tombstone"}]}, ""),
    ],
)  # fmt: skip
def test_what_messages_of_real_workspaces_hold(message: dict[str, Any], expected: str) -> None:
    assert render_body(parse_message(message), NAMES) == expected


def test_a_root_without_a_count_of_its_replies_is_read_with_them(slack: Slack, connector: SlackConnector) -> None:
    slack.post("C1", TS, "root", thread_ts=TS)
    slack.post("C1", "1772355700.000100", "reply", thread_ts=TS)
    slack.answers["conversations.history"] = lambda form: {"messages": [slack.messages["C1"][TS]]}
    (thread,) = (one for one in connector.read(UNIT) if isinstance(one, Document))
    assert (thread.kind, "reply" in thread.content) == ("thread", True)
