from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.slack.render.messages import message_title, render_body
from connectors.slack.render.mrkdwn import Names, markdown
from tests.connectors.slack.conftest import parse_message

NAMES = Names(lambda user: f"name-of-{user}", lambda channel: f"#channel-{channel}", lambda group: f"group-{group}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello <@U1>", "hello @name-of-U1"),
        ("see <#C1|general> and <#C2>", "see #channel-C1 and #channel-C2"),
        ("<!here> <!subteam^S1> <!subteam^S2|@ops>", "@here @group-S1 @ops"),
        ("<https://a.example|the page> <https://b.example>", "[the page](https://a.example) https://b.example"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<!date^1392734382^{date}|Feb 18>", "Feb 18"),
        ("*bold* ~gone~ 2*3*4", "**bold** ~~gone~~ 2*3*4"),
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ("`*not bold* &amp;`", "`*not bold* &`"),
        ("```x = <https://a.example>\ny```", "\n```\nx = https://a.example\ny\n```\n"),
    ],
)
def test_markup(text: str, expected: str) -> None:
    assert markdown(text, NAMES) == expected


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"text": "same", "blocks": [rich({"type": "text", "text": "same"})]}, "same"),
        ({"text": "short", "blocks": [section("something else")]}, "short\n\nsomething else"),
        ({"text": "", "blocks": [{"type": "brand_new", "text": "kept"}]}, "kept"),
        ({"text": "", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Top"}}]}, "**Top**"),
        ({"text": "", "attachments": [{"title": "T", "title_link": "https://a.example"}]}, "> [T](https://a.example)"),
        ({"text": "", "attachments": [{"fallback": "only this"}]}, "> only this"),
        ({"text": "", "attachments": [{"fields": [{"title": "Env", "value": "prod"}]}]}, "> Env: prod"),
        ({"text": "", "files": [{"title": "Plan", "preview": "first lines"}]}, "File: Plan\nfirst lines"),
        ({}, ""),
    ],
)
def test_everything_a_person_sees_of_a_message(message: dict[str, Any], expected: str) -> None:
    assert render_body(parse_message(message), NAMES) == expected


def test_a_rich_list_and_quote() -> None:
    items = [{"type": "rich_text_section", "elements": [{"type": "text", "text": word}]} for word in ("one", "two")]
    quote = {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said"}]}
    listed = {"type": "rich_text_list", "style": "ordered", "elements": items}
    message = parse_message({"blocks": [{"type": "rich_text", "elements": [listed, quote]}]})
    assert render_body(message, NAMES) == "1. one\n2. two\n> said"


def test_a_title_is_the_first_line_shortened() -> None:
    assert message_title(parse_message({"text": "*Down* again\nmore"}), NAMES) == "Down again"
    assert len(message_title(parse_message({"text": "word " * 100}), NAMES)) <= 80


WORDS = st.lists(st.text(st.characters(categories=("Ll", "Lu", "Nd")), min_size=1, max_size=8), min_size=1, max_size=6)


def elements(words: st.SearchStrategy[list[str]]) -> st.SearchStrategy[dict[str, Any]]:
    kinds = st.sampled_from(
        [
            lambda text: {"type": "text", "text": f"{text} "},
            lambda text: {"type": "text", "text": f"{text} ", "style": {"bold": True}},
            lambda text: {"type": "link", "url": "https://a.example", "text": text},
            lambda text: {"type": "never_seen", "text": {"type": "plain_text", "text": text}},
        ]
    )
    return st.tuples(kinds, words).map(lambda pair: pair[0](" ".join(pair[1])))


@settings(deadline=None)
@given(st.lists(elements(WORDS), min_size=1, max_size=5), WORDS, WORDS)
def test_no_word_is_lost(inline: list[dict[str, Any]], text: list[str], attached: list[str]) -> None:
    space = {"type": "text", "text": " "}
    message = {
        "text": " ".join(text),
        "blocks": [rich(*(part for element in inline for part in (element, space))), section(" ".join(text))],
        "attachments": [{"text": " ".join(attached)}],
    }
    said = [*text, *attached, *(one["text"] for one in inline if isinstance(one["text"], str))]
    assert words(" ".join(said)) <= words(render_body(parse_message(message), NAMES))


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


KEYS = st.sampled_from(["type", "text", "elements", "title", "fields", "rows"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)


@settings(deadline=None)
@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=12))
def test_no_payload_breaks_the_renderer(value: object) -> None:
    assert isinstance(render_body(parse_message({"text": "x", "blocks": value}), NAMES), str)
