"""What people typed is text in the index: as the chunker reads the Markdown that is made of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.slack.render.messages import render_messages
from connectors.slack.render.mrkdwn import Names
from connectors.slack.render.structure import escape_structure
from pipelines.chunking.formats.markdown import markdown_blocks
from tests.connectors.slack.conftest import parse_message

NAMES = Names(lambda user: user, lambda channel: f"#{channel}", lambda group: group)

TYPED = ("w1x", "w2x w3x", "#", "---", "===", "***", "- - -", "```", "````", "~~~", "`", "<!--", "-->", "<pre>", "<!x")
lines = st.lists(st.sampled_from([*TYPED, ">", "- ", "1. ", "   ", "\t", "|"]), max_size=4).map("".join)
ends = st.sampled_from(["\n", "\n", "\r", "\r\n", "\v", "\u2028"])
typed = st.builds(str.join, ends, st.lists(lines, min_size=1, max_size=8))


def escaped(text: str) -> str:
    """As Slack gives a text that was typed."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def rich(kind: str, text: str) -> dict[str, Any]:
    return {
        "blocks": [{"type": "rich_text", "elements": [{"type": kind, "elements": [{"type": "text", "text": text}]}]}]
    }


@settings(max_examples=400, deadline=None)
@given(typed, st.integers(0, 5))
@example("a\n<!-- hidden words -->\nb", 0)
@example("Deploy finished\n---------\nall green", 0)
@example("- ```\n# w1x\n```", 1)
@example("    ```\n<!-- w1x -->\n```", 1)
@example("w1x\r# w2x", 0)
@example("w1x\r\n-----", 1)
@example("w1x\u2028# w2x", 0)
def test_no_line_heads_hides_or_swallows_what_others_say(text: str, place: int) -> None:
    messages: list[dict[str, Any]] = [
        {"text": escaped(text)},
        rich("rich_text_section", text),
        rich("rich_text_preformatted", text),
        {"blocks": [{"type": "markdown", "text": text}]},
        {"attachments": [{"text": escaped(text), "footer": "w9x"}]},
        {"files": [{"id": "F1", "title": "script", "preview": text}]},
    ]
    said = [parse_message(messages[place] | {"user": "ada"}), parse_message({"text": "w7x", "user": "bob"})]
    blocks = markdown_blocks(render_messages(said, NAMES))
    assert not [block for block in blocks if block.kind == "heading"]
    assert set(re.findall(r"w\dx", text)) <= set(re.findall(r"w\dx", " ".join(block.text for block in blocks)))
    assert any(block.text.startswith("**bob**") for block in blocks)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# of users is 5", "\\# of users is 5"),
        ("#channel and #1", "#channel and #1"),
        ("done\n---", "done\n\\---"),
        ("- one\n- two", "- one\n- two"),
        ("<!-- gone? -->", "\\<\\!-- gone? -->"),
        ("a <b> c\n<div>", "a <b> c\n<div>"),
        ("```\n# a comment\n<!-- kept -->\n```", "```\n# a comment\n<!-- kept -->\n```"),
        ("```\n# no end", "\\```\n\\# no end"),
        ("| a |\n| --- |\n| b |", "| a |\n| --- |\n| b |"),
        ("> ```\n> # code\n> ```", "> ```\n> # code\n> ```"),
    ],
)
def test_only_what_would_be_structure_is_escaped(text: str, expected: str) -> None:
    assert escape_structure(text) == expected


def test_a_text_full_of_fences_takes_time_that_grows_with_it_alone() -> None:
    fences = "\n".join(f"{'`' * (3 + number % 50)} x" for number in range(50_000))
    assert escape_structure(fences).count("\\`") == 50_000
