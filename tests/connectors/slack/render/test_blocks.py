"""Of each block and element what people see of it, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.slack.render.messages import message_title, render_body
from connectors.slack.render.mrkdwn import Names
from tests.connectors.slack.conftest import parse_message

NAMES = Names(
    lambda user: f"name-of-{user}", lambda channel: f"#{channel}", lambda group: f"group-{group}", lambda bot: f"{bot}!"
)


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": True}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "block_id": "b", "elements": list(elements)}


SIZES = {"fallback": "48x48px image", "image_width": 48, "image_height": 48, "image_bytes": 10, "is_animated": False}
FILE = {
    "id": "F9",
    "title": "The plan",
    "mimetype": "application/pdf",
    "user": "U1",
    "file_access": "visible",
    "permalink": "https://acme.test/F9",
}
PEOPLE = [{"slack_id": "U1"}, {"external_id": "e1", "display_name": "Jane Roe", "avatar_url": "https://x.test/z"}]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            {"type": "image", "alt_text": "Chart", "title": plain("Q3"), "image_url": "https://x.test", **SIZES},
            "Q3\nChart",
        ),
        (
            {
                "type": "section",
                "text": plain("Plan"),
                "expand": True,
                "accessory": {"type": "image", "alt_text": "logo", **SIZES},
            },
            "Plan\nlogo",
        ),
        (
            {
                "type": "call",
                "call_id": "R1",
                "call": {
                    "media_backend_type": "platform_call",
                    "v1": {
                        "id": "R1",
                        "name": "Weekly",
                        "display_id": "705",
                        "created_by": "U1",
                        "all_participants": PEOPLE,
                    },
                },
            },
            "Weekly\n@name-of-U1, Jane Roe",
        ),
        ({"type": "call", "call_id": "R1"}, ""),
        (
            {
                "type": "container",
                "title": plain("Incident"),
                "width": "standard",
                "icon": {"type": "image", "alt_text": "i"},
                "child_blocks": [{"type": "section", "text": plain("API down")}],
            },
            "Incident\nAPI down",
        ),
        ({"type": "alert", "level": "warning", "text": plain("Disk full")}, "Disk full"),
        (
            {
                "type": "card",
                "title": plain("T"),
                "subtitle": plain("S"),
                "body": plain("B"),
                "subtext": plain("X"),
                "slack_icon": {"type": "icon", "name": "sparkle"},
            },
            "T\nS\nB\nX",
        ),
        ({"type": "carousel", "elements": [{"type": "card", "body": plain("One")}]}, "One"),
        (
            {
                "type": "context_actions",
                "elements": [
                    {"type": "icon_button", "icon": "trash", "text": plain("Delete"), "visible_to_user_ids": ["U1"]},
                    {
                        "type": "feedback_buttons",
                        "positive_button": {"text": plain("Good"), "value": "p"},
                        "negative_button": {"text": plain("Bad"), "value": "n", "accessibility_label": "bad"},
                    },
                ],
            },
            "Delete\nGood\nBad",
        ),
        (
            actions({"type": "multi_users_select", "placeholder": plain("People"), "initial_users": ["U1", "U2"]}),
            "People\n@name-of-U1, @name-of-U2",
        ),
        (
            actions({"type": "conversations_select", "initial_conversation": "C1", "filter": {"include": ["public"]}}),
            "#C1",
        ),
        (
            actions(
                {
                    "type": "static_select",
                    "placeholder": plain("Pick"),
                    "options": [{"text": plain("Red"), "value": "r", "description": plain("warm")}],
                }
            ),
            "Pick\nRed\nwarm",
        ),
        (actions({"type": "external_select", "initial_option": {"text": plain("Blue"), "value": "b"}}), "Blue"),
        (actions({"type": "datetimepicker", "initial_date_time": 1772323200}), "2026-03-01 00:00 UTC"),
        (
            actions(
                {
                    "type": "button",
                    "text": plain("Go"),
                    "value": "go_1",
                    "style": "primary",
                    "confirm": {"text": plain("?")},
                }
            ),
            "Go",
        ),
        (
            {
                "type": "input",
                "label": plain("Why"),
                "hint": plain("briefly"),
                "element": {
                    "type": "plain_text_input",
                    "initial_value": "because",
                    "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
                },
            },
            "Why\nbecause\nbriefly",
        ),
        (
            {"type": "file", "external_id": "A", "source": "remote", "file_id": "F9", "file": FILE},
            "File: [The plan](https://acme.test/F9)",
        ),
        (
            {
                "type": "share_shortcut",
                "title": "Order lunch",
                "description": "For Fridays",
                "button_label": "Start",
                "app_collaborators": ["U1"],
                "trigger_subtype": "workflow_builder",
                "app_id": "A1",
            },
            "Order lunch\nFor Fridays\nStart",
        ),
        (
            {
                "type": "plan",
                "title": "Steps",
                "tasks": [
                    {
                        "task_id": "t",
                        "title": "Fetch",
                        "status": "complete",
                        "sources": [{"type": "url", "url": "https://a.example", "text": "Source"}],
                    }
                ],
            },
            "Steps\nFetch\n[Source](https://a.example)",
        ),
        (
            {
                "type": "video",
                "title": plain("Demo"),
                "alt_text": "a demo",
                "author_name": "Ada",
                "provider_icon_url": "https://x",
            },
            "Demo\nAda\na demo",
        ),
        ({"type": "divider", "block_id": "words"}, ""),
        ({"type": "header", "level": 1}, ""),
        (
            {
                "type": "from_the_future",
                "headline": "Kept",
                "hero": "https://x.test/a.png",
                "owner_id": "U1",
                "size": 3,
            },
            "Kept",
        ),
    ],
)
def test_what_people_see_of_a_block(block: dict[str, Any], expected: str) -> None:
    assert render_body(parse_message({"blocks": [block]}), NAMES) == expected


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"type": "canvas_user_mention", "user_id": "U1", "thread_id": "t"}, "@name-of-U1"),
        (
            {
                "type": "message_mention",
                "channel_id": "C2",
                "message_ts": "1.2",
                "text": "Plan",
                "url": "https://a.example",
            },
            "[Plan](https://a.example)",
        ),
        ({"type": "message_mention", "channel_id": "C2", "message_ts": "1.2", "author_id": "U1"}, "#C2"),
        ({"type": "canvas_message_unfurl", "root_message_channel": "C3", "root_message_ts": "1.2"}, "#C3"),
        (
            {"type": "file", "file_id": "F1", "text": "plan.pdf", "url": "https://a.example"},
            "[plan.pdf](https://a.example)",
        ),
        ({"type": "canvas", "file_id": "F1", "label": "Cutover"}, "Cutover"),
        (
            {
                "type": "work_object_mention",
                "entity_id": "e",
                "app_id": "A1",
                "text": "JIRA-1",
                "product_name": "Jira",
                "url": "https://a.example",
            },
            "[JIRA-1](https://a.example)",
        ),
        ({"type": "workflow_mention", "workflow_id": "Wf1", "function_trigger_id": "Ft1", "text": "Lunch"}, "Lunch"),
        ({"type": "tag", "text": "urgent", "color": "red"}, "urgent"),
        ({"type": "team", "team_id": "T1"}, ""),
        (
            {
                "type": "citation",
                "url": "https://a.example",
                "text": "1",
                "index": 1,
                "details": {"citation_type": "web", "title": "Mills", "snippet": "of water"},
            },
            "[1](https://a.example), Mills, of water",
        ),
        (
            {"type": "date", "timestamp": 1772323200, "format": "{date_short_pretty} at {time}"},
            "2026-03-01 at 00:00 UTC",
        ),
        ({"type": "date", "timestamp": 1772323200, "format": ""}, "2026-03-01 00:00 UTC"),
        ({"type": "date", "timestamp": 10**20, "format": "{date}"}, "1" + "0" * 20),
        ({"type": "date", "timestamp": 1772323200, "format": "{date}", "fallback": "March"}, "March"),
        ({"type": "text", "text": "a`b", "style": {"code": True}}, "`` a`b ``"),
        ({"type": "from_the_future", "text": "Kept", "shape_id": "S1"}, "Kept"),
    ],
)
def test_what_people_see_of_an_element_of_rich_text(element: dict[str, Any], expected: str) -> None:
    rich = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [element]}]}
    assert render_body(parse_message({"blocks": [rich]}), NAMES) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"text": "This content can't be displayed.", "blocks": [{"type": "section", "text": plain("Out")}]}, "Out"),
        ({"text": "This content can’t be displayed."}, ""),
        ({"text": "chart", "attachments": [{"fallback": "[no preview available]", "image_url": "https://x"}]}, "chart"),
        ({"attachments": [{"fallback": "1280x720px image", "image_url": "https://x"}]}, ""),
        (
            {"text": "Why can it not? This content can't be displayed."},
            "Why can it not? This content can't be displayed.",
        ),
        (
            {
                "text": "",
                "subtype": "huddle_thread",
                "room": {
                    "id": "R1",
                    "topic": "Cutover",
                    "created_by": "U1",
                    "participant_history": ["U1", "U2"],
                    "participants": [],
                },
            },
            "Cutover\n@name-of-U1, @name-of-U2",
        ),
        (
            {"text": "A huddle started", "room": {"name": "", "created_by": "U1", "huddle_link": "https://x"}},
            "A huddle started\n\n@name-of-U1",
        ),
        ({"blocks": [{"type": "file", "file": FILE}], "files": [FILE]}, "File: [The plan](https://acme.test/F9)"),
        ({"text": "due <!date^1772323200^{date_num}>"}, "due 2026-03-01"),
    ],
)
def test_what_people_see_of_a_message(message: dict[str, Any], expected: str) -> None:
    assert render_body(parse_message(message), NAMES) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"text": "The *pump* <https://x.example/a|manual> leaks ~not~"}, "The pump manual leaks not"),
        ({"text": "_really_ `make_it_so` 2*3*4 snake_case_name"}, "really make_it_so 2*3*4 snake_case_name"),
        ({"text": "&gt; *quoted* ~_all_~"}, "quoted all"),
        ({"text": "```\ncode first\n```"}, "code first"),
        ({"text": "# 5 is alive"}, "5 is alive"),
        ({"text": "- one\n- two"}, "one"),
        ({"text": "in C:\\_logs\\*.txt"}, "in C:\\_logs\\*.txt"),
        ({"text": "see <https://en.example/Mill_(water)|the mill>"}, "see the mill"),
        ({"attachments": [{"title": "Alert", "title_link": "https://a.example"}]}, "Alert"),
        (
            {
                "blocks": [
                    {
                        "type": "rich_text",
                        "elements": [
                            {
                                "type": "rich_text_section",
                                "elements": [
                                    {
                                        "type": "text",
                                        "text": "all",
                                        "style": {"bold": True, "italic": True, "strike": True, "code": True},
                                    },
                                    {"type": "link", "url": "https://a.example", "text": " of it"},
                                ],
                            }
                        ],
                    }
                ]
            },
            "all of it",
        ),
    ],
)
def test_a_title_has_no_markup(message: dict[str, Any], expected: str) -> None:
    assert message_title(parse_message(message), NAMES) == expected
