from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.notion.payloads import (
    NotionBlock,
    NotionComment,
    NotionDatabase,
    NotionPage,
    PropertyValue,
    RichTextRun,
    parse_object,
    plain,
)
from connectors.notion.render.blocks import BlockTree, blocks_markdown
from connectors.notion.render.comments import comments_markdown
from connectors.notion.render.pages import database_markdown, mentioned, page_markdown
from connectors.notion.render.properties import NotionNames, option_names, property_lines
from connectors.notion.render.rich_text import inline, markdown
from tests.emulators.notion import block, text

KNOWN = NotionNames(titles={"p1": "Roadmap", "d1": "Tasks"}, people={"u1": "Ada", "u2": "Bob"})


def styled(content: str, *styles: str, href: str | None = None) -> dict[str, Any]:
    (run,) = text(content, annotations=dict.fromkeys(styles, True), href=href)
    return run


def runs_of(rich_text: Any) -> tuple[RichTextRun, ...]:
    return NotionBlock.model_validate({"type": "paragraph", "paragraph": {"rich_text": rich_text}}).content.rich_text


def page_of(payload: dict[str, Any]) -> NotionPage:
    return NotionPage.model_validate(payload)


def properties_of(payload: dict[str, Any]) -> dict[str, PropertyValue]:
    return page_of({"properties": payload}).properties


def tree(payload: dict[str, Any]) -> BlockTree:
    return BlockTree(NotionBlock.model_validate(payload), tuple(tree(child) for child in payload.get("children", ())))


def rendered(*payloads: dict[str, Any]) -> str:
    return blocks_markdown([tree(payload) for payload in payloads], KNOWN)


def mention(kind: str, shown: str, **content: Any) -> dict[str, Any]:
    return {"type": "mention", "mention": {"type": kind, kind: content}, "plain_text": shown, "href": None}


def untold(kind: str, **content: Any) -> dict[str, Any]:
    """A mention without the text that Notion shows for it."""
    return {"type": "mention", "mention": {"type": kind, kind: content}, "href": None}


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([styled("plain")], "plain"),
        ([styled("a "), styled("b", "bold"), styled(" c")], "a **b** c"),
        ([styled("a"), styled(" b ", "bold"), styled("c")], "a **b** c"),
        ([styled("ab", "bold"), styled("cd", "bold")], "**abcd**"),
        ([styled("x", "bold", "italic", "strikethrough")], "***~~x~~***"),
        ([styled("f(`x`)", "code")], "``f(`x`)``"),
        ([styled(" ", "bold")], " "),
        ([styled("docs", href="https://a.test/x(1)")], "[docs](https://a.test/x%281%29)"),
        ([styled("https://a.test", href="https://a.test")], "https://a.test"),
        ([{"type": "equation", "equation": {"expression": "e=mc^2"}, "plain_text": "e=mc^2"}], "$e=mc^2$"),
        ([mention("user", "@Ada", id="u1")], "@Ada"),
        ([mention("date", "2026-01-01 → 2026-01-02", start="2026-01-01")], "2026-01-01 → 2026-01-02"),
        ([{**mention("page", "Roadmap", id="p1"), "href": "https://n.test/p1"}], "[Roadmap](https://n.test/p1)"),
        ([mention("page", "Roadmap", id="0f1e-2d3c")], "[Roadmap](https://www.notion.so/0f1e2d3c)"),
        ([mention("database", "Tasks", id="d-1")], "[Tasks](https://www.notion.so/d1)"),
        ([styled("the runbook", href="/0f1e2d3c")], "[the runbook](https://www.notion.so/0f1e2d3c)"),
        ([styled("a step", "bold", href="/0f1e?pvs=4#a1")], "**[a step](https://www.notion.so/0f1e?pvs=4#a1)**"),
        ([styled("elsewhere", href="//cdn.test/x")], "[elsewhere](//cdn.test/x)"),
        ([mention("template_mention", "@Today")], "@Today"),
        ([mention("custom_emoji", ":logo:", name="logo")], ":logo:"),
        ([{"type": "text", "text": {"content": "no plain text"}}], "no plain text"),
        ([untold("user", id="u1", name="Ada")], "Ada"),
        ([untold("date", start="2026-01-01", end="2026-01-02")], "2026-01-01 → 2026-01-02"),
        ([untold("link_mention", href="https://a.test", title="A page")], "A page"),
        ([untold("link_preview", url="https://a.test")], "https://a.test"),
        ([untold("page", id="p1")], ""),
        ([styled("# not a heading")], "\\# not a heading"),
        ([styled("a\n---\nb")], "a\n\\---\nb"),
        ([styled("```")], "\\```"),
        ([styled("see <!-- this -->")], "see <\\!-- this -->"),
        ([styled("C# - it's * 2 [x]")], "C# - it's * 2 [x]"),
        ([None, {}, {"plain_text": None}], ""),
        (None, ""),
        ("text", ""),
    ],
)
def test_rich_text(runs: Any, expected: str) -> None:
    assert markdown(runs_of(runs)) == expected


LINKED = "[Roadmap](https://www.notion.so/p1)"
BLOCKS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "paragraphs": ([block("paragraph", "a"), block("paragraph"), block("paragraph", "b")], "a\n\nb"),
    "headings": (
        [block("heading_1", "A"), block("heading_2", "B\nb"), block("heading_3", "C"), block("heading_4", "D")],
        "# A\n\n## B b\n\n### C\n\n#### D",
    ),
    "toggle heading": ([{**block("heading_2", "A"), "children": [block("paragraph", "in")]}], "## A\n\nin"),
    "bullets": (
        [
            {**block("bulleted_list_item", "a"), "children": [block("bulleted_list_item", "b")]},
            {**block("bulleted_list_item", "c\nd"), "children": [block("paragraph", "e")]},
        ],
        "- a\n  - b\n- c\n  d\n\n  e",
    ),
    "numbers": (
        [
            {**block("numbered_list_item", "a"), "children": [block("numbered_list_item", "x")]},
            block("numbered_list_item", "b"),
            block("paragraph", "between"),
            block("numbered_list_item", "c", list_start_index=7),
        ],
        "1. a\n   1. x\n2. b\n\nbetween\n\n7. c",
    ),
    "to-dos": (
        [
            {**block("to_do", "a", checked=True), "children": [block("to_do", "b", checked=False)]},
            block("to_do", "c"),
        ],
        "- [x] a\n  - [ ] b\n- [ ] c",
    ),
    "toggle": ([{**block("toggle", "more"), "children": [block("paragraph", "in")]}], "more\n\nin"),
    "quote": ([{**block("quote", "a\nb"), "children": [block("paragraph", "c")]}], "> a\n> b\n>\n> c"),
    "callout": ([block("callout", "mind", icon={"type": "emoji", "emoji": "💡"})], "> 💡 mind"),
    "code": (
        [block("code", "if x:\n    y", language="python", caption=text("Example"))],
        "```python\nif x:\n    y\n```\n\nExample",
    ),
    "code with fences": ([block("code", "```\n```", language="plain text")], "````\n```\n```\n````"),
    "equation": ([{"type": "equation", "equation": {"expression": "a^2"}}], "$$\na^2\n$$"),
    "table": (
        [
            {
                "type": "table",
                "table": {"has_column_header": True, "table_width": 2},
                "children": [
                    {"type": "table_row", "table_row": {"cells": [text("a|b"), text("c\nd")]}},
                    {"type": "table_row", "table_row": {"cells": [text("e")]}},
                ],
            }
        ],
        "| a\\|b | c d |\n| --- | --- |\n| e |  |",
    ),
    "table without header": (
        [
            {
                "type": "table",
                "table": {"has_column_header": False},
                "children": [{"type": "table_row", "table_row": {"cells": [text("a")]}}],
            }
        ],
        "|  |\n| --- |\n| a |",
    ),
    "empty table": ([{"type": "table", "table": {}}], ""),
    "bookmark": (
        [{"type": "bookmark", "bookmark": {"url": "https://a.test/x y", "caption": text("Docs")}}],
        "[Docs](https://a.test/x%20y)",
    ),
    "embed": ([{"type": "embed", "embed": {"url": "https://a.test", "caption": []}}], "<https://a.test>"),
    "link preview": ([{"type": "link_preview", "link_preview": {"url": "https://a.test/1"}}], "<https://a.test/1>"),
    "image elsewhere": (
        [{"type": "image", "image": {"external": {"url": "https://a.test/i.png"}, "caption": text("A plan")}}],
        "![A plan: i.png](https://a.test/i.png)",
    ),
    "image at Notion": (
        [{"type": "image", "image": {"file": {"url": "https://s3.test/1/my%20plan.png?X-Sig=1"}, "caption": []}}],
        "my plan.png",
    ),
    "file": (
        [{"type": "file", "file": {"type": "file", "file": {"url": "https://s3.test/a.pdf?s"}, "name": "Offer.pdf"}}],
        "Offer.pdf",
    ),
    "video": ([{"type": "video", "video": {"external": {"url": "https://a.test/v"}}}], "[v](https://a.test/v)"),
    "columns": (
        [
            {
                **block("column_list"),
                "children": [
                    {**block("column"), "children": [block("paragraph", "left")]},
                    {**block("column"), "children": [block("paragraph", "right")]},
                ],
            }
        ],
        "left\n\nright",
    ),
    "tabs": (
        [
            {
                **block("tab"),
                "children": [
                    {**block("paragraph", "Oil"), "children": [block("to_do", "Linseed")]},
                    {**block("paragraph", "Grease"), "children": [block("paragraph", "of sheep")]},
                ],
            }
        ],
        "Oil\n\n- [ ] Linseed\n\nGrease\n\nof sheep",
    ),
    "template": ([{**block("template", "new"), "children": [block("paragraph", "in")]}], "new\n\nin"),
    "meeting": (
        [
            {
                "type": "meeting_notes",
                "meeting_notes": {"title": text("Weekly"), "calendar_event": {"attendees": ["u1", "u9", "u2"]}},
                "children": [block("paragraph", "Notes")],
            }
        ],
        "Weekly\n\nAttendees: Ada, Bob\n\nNotes",
    ),
    "left out": ([block("divider"), block("breadcrumb"), block("table_of_contents")], ""),
    "child page": ([{"type": "child_page", "child_page": {"title": "Below"}}], "Below"),
    "child database": ([{"type": "child_database", "child_database": {"title": "Rows"}}], "Rows"),
    "link to page": ([{"type": "link_to_page", "link_to_page": {"type": "page_id", "page_id": "p1"}}], LINKED),
    "link to comment": ([{"type": "link_to_page", "link_to_page": {"type": "comment_id", "comment_id": "c"}}], ""),
    "unsupported": ([{"type": "unsupported", "unsupported": {"block_type": "form"}}], "<!-- unsupported: form -->"),
    "unknown": ([{**block("hologram", "words"), "children": [block("paragraph", "in")]}], "words\n\nin"),
    "malformed": ([{"type": "paragraph"}, {}, {"type": "code", "code": None}], ""),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks(name: str) -> None:
    payloads, expected = BLOCKS[name]
    assert rendered(*payloads) == expected


TITLE_X = {"type": "title", "title": text("x")}
PROPERTIES: list[tuple[str, Any, str]] = [
    ("rich_text", [*text("two "), *text("runs")], "two runs"),
    ("number", 3.0, "3"),
    ("number", 0, "0"),
    ("number", 2.5, "2.5"),
    ("number", None, ""),
    ("select", {"name": "High", "color": "red"}, "High"),
    ("multi_select", [{"name": "a"}, {"name": "b"}], "a, b"),
    ("status", {"name": "Done"}, "Done"),
    ("date", {"start": "2026-01-01", "end": None}, "2026-01-01"),
    ("date", {"start": "2026-01-01", "end": "2026-01-05"}, "2026-01-01 → 2026-01-05"),
    ("date", {"start": "2026-01-01", "time_zone": "Europe/Rome"}, "2026-01-01 Europe/Rome"),
    ("people", [{"id": "u1"}, {"id": "u9", "name": "Eve"}, {"id": "unknown"}], "Ada, Eve"),
    ("people", [{"id": "u8", "person": {"email": "zoe@acme.test"}}], "zoe@acme.test"),
    ("files", [{"name": "plan.pdf", "file": {"url": "https://s3.test/x?sig=1"}}], "plan.pdf"),
    ("files", [{"name": "doc", "external": {"url": "https://a.test/d"}}], "doc https://a.test/d"),
    ("checkbox", False, "no"),
    ("url", "https://a.test", "https://a.test"),
    ("email", "a@b.test", "a@b.test"),
    ("phone_number", "+39 02", "+39 02"),
    ("formula", {"type": "string", "string": "ok"}, "ok"),
    ("formula", {"type": "number", "number": 4}, "4"),
    ("formula", {"type": "boolean", "boolean": True}, "yes"),
    ("formula", {"type": "date", "date": {"start": "2026-02-02"}}, "2026-02-02"),
    ("formula", {"type": "string", "string": None}, ""),
    ("relation", [{"id": "p1"}, {"id": "nowhere"}], "Roadmap"),
    ("rollup", {"type": "number", "number": 7, "function": "sum"}, "7"),
    ("rollup", {"type": "date", "date": {"start": "2026-02-02"}, "function": "latest_date"}, "2026-02-02"),
    ("rollup", {"type": "array", "array": [{"type": "number", "number": 1}, TITLE_X]}, "1, x"),
    ("rollup", {"type": "array", "array": [{"type": "relation", "relation": [{"id": "p1"}]}]}, "Roadmap"),
    ("rollup", {"type": "incomplete", "incomplete": {}}, ""),
    ("created_time", "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"),
    ("created_by", {"object": "user", "id": "u2"}, "Bob"),
    ("last_edited_time", "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"),
    ("last_edited_by", {"object": "user", "id": "u1", "name": "Ada L."}, "Ada L."),
    ("unique_id", {"prefix": "TASK", "number": 12}, "TASK-12"),
    ("unique_id", {"prefix": None, "number": 12}, "12"),
    ("verification", {"state": "verified", "verified_by": {"id": "u1"}, "date": {"start": "1"}}, "verified, Ada, 1"),
    ("verification", {"state": "unverified", "verified_by": None, "date": None}, "unverified"),
    ("button", {}, ""),
    ("place", {"name": "Office", "address": "1 Mill Road", "lat": 1.5, "lon": 2}, "Office, 1 Mill Road, 1.5, 2"),
    ("hologram", {"id": "x", "parts": [{"plain_text": "a"}, {"name": "b", "color": "red"}], "on": True}, "a, b"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "content", "expected"), PROPERTIES)
def test_properties(kind: str, content: Any, expected: str) -> None:
    value = {"id": "i", "type": kind, kind: content}
    assert property_lines(properties_of({"My\nname": value}), KNOWN) == ([f"My name: {expected}"] if expected else [])


def test_the_title_is_no_line() -> None:
    properties = {"Name": {"type": "title", "title": [*text("A "), *text("page")]}}
    page = {"object": "page", "id": "p", "parent": None}
    named, unnamed = parse_object(page | {"properties": properties}), parse_object(page | {"properties": None})
    assert (named and named.title, unnamed and unnamed.title) == ("A page", "Untitled")
    assert property_lines(properties_of(properties), KNOWN) == []


def test_options_come_once() -> None:
    properties = {
        "a": {"type": "select", "select": {"name": "x"}},
        "b": {"type": "multi_select", "multi_select": [{"name": "y"}, {"name": "x"}]},
        "c": {"type": "select", "select": None},
    }
    assert option_names(properties_of(properties)) == ("x", "y")


def test_a_page_is_its_properties_and_its_body() -> None:
    page = {"properties": {"Points": {"type": "number", "number": 3}, "Done": {"type": "checkbox", "checkbox": True}}}
    assert page_markdown(page_of(page), [tree(block("paragraph", "Body"))], KNOWN) == "Points: 3\nDone: yes\n\nBody"
    assert page_markdown(page_of({}), [], KNOWN) == ""


def test_a_database_lists_its_columns_with_what_can_be_chosen() -> None:
    options = {"options": [{"name": "High", "color": "red"}, {"name": "Low"}, None]}
    columns = {
        "Name": {"type": "title", "title": {}},
        "Rank": {"name": "Rank", "type": "select", "select": options},
        "Stage": {"type": "status", "status": {"options": [{"name": "Won"}], "groups": [{"name": "Complete"}]}},
        "Tags": {"type": "multi_select", "multi_select": None},
        "Odd": None,
    }
    source = NotionDatabase.model_validate({"title": text("T"), "properties": columns})
    described = NotionDatabase.model_validate({"description": text("Deals")})
    listed = "Properties: Name, Rank (High, Low), Stage (Won), Tags, Odd"
    assert database_markdown(NotionDatabase.model_validate({"description": []}), [source]) == listed
    assert database_markdown(described, [source]) == f"Deals\n\n{listed}"


def test_what_a_page_mentions_by_id() -> None:
    rollup = {
        "type": "rollup",
        "rollup": {"type": "array", "array": [{"type": "relation", "relation": [{"id": "p2"}]}]},
    }
    page = {"properties": {"R": {"type": "relation", "relation": [{"id": "p1"}]}, "U": rollup}}
    link = {"type": "link_to_page", "link_to_page": {"type": "database_id", "database_id": "d1"}}
    blocks = [tree({**block("toggle"), "children": [link]})]
    assert mentioned(page_of(page), blocks) == {("page", "p1"), ("page", "p2"), ("database", "d1")}


# Words that no markup is made of, so that what comes out can be told from what went in.
WORDS = st.text(alphabet="abcdefghäπ", min_size=1, max_size=6)
STYLES = st.sets(st.sampled_from(["bold", "italic", "strikethrough", "code"]))
RUNS = st.lists(st.builds(lambda word, styles: styled(f"{word} ", *styles), WORDS, STYLES), max_size=4)
TEXT_BLOCKS = st.sampled_from(
    [
        "paragraph", "heading_1", "heading_3", "bulleted_list_item", "numbered_list_item", "to_do", "toggle",
        "quote", "callout", "template", "hologram",
    ]
)  # fmt: skip


def with_children(children: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(children, max_size=3)
    texts = st.builds(
        lambda kind, runs, below: {"type": kind, kind: {"rich_text": runs}, "children": below},
        TEXT_BLOCKS,
        RUNS,
        several,
    )
    containers = st.builds(
        lambda kind, below: {"type": kind, kind: {}, "children": below},
        st.sampled_from(["column_list", "column", "synced_block", "tab", "unsupported"]),
        several,
    )
    return texts | containers


LEAVES = st.one_of(
    st.builds(lambda runs: {"type": "code", "code": {"rich_text": runs, "caption": runs}}, RUNS),
    st.builds(lambda word: {"type": "equation", "equation": {"expression": word}}, WORDS),
    st.builds(lambda word: {"type": "child_page", "child_page": {"title": word}}, WORDS),
    st.builds(
        lambda rows: {
            "type": "table",
            "table": {},
            "children": [{"type": "table_row", "table_row": {"cells": row}} for row in rows],
        },
        st.lists(st.lists(RUNS, max_size=3), max_size=3),
    ),
    st.builds(lambda runs: {"type": "paragraph", "paragraph": {"rich_text": runs}}, RUNS),
)
BODIES = st.lists(st.recursive(LEAVES, with_children, max_leaves=12), max_size=5)


def words_of(payload: Any) -> list[str]:
    """All words of a payload, in the order in which a person reads them."""
    if isinstance(payload, list):
        return [word for entry in payload for word in words_of(entry)]
    if not isinstance(payload, dict):
        return []
    if "plain_text" in payload:
        return str(payload["plain_text"]).split()
    body = payload.get(str(payload.get("type")), {})
    shown = [body.get("expression", ""), body.get("title", "")]
    texts = [body.get(name) for name in ("rich_text", "cells", "caption")]
    return [word for word in shown if word] + words_of(texts) + words_of(payload.get("children", []))


@given(BODIES)
def test_no_word_is_lost_and_none_invented(body: list[dict[str, Any]]) -> None:
    markup_free = re.sub(r"<!--.*?-->", "", rendered(*body))
    assert re.findall(r"[a-häπ]+", markup_free.replace("[x]", "")) == words_of(body)


@given(st.lists(st.builds(styled, st.text(max_size=30)), max_size=4))
def test_characters_of_a_paragraph_stay(runs: list[dict[str, Any]]) -> None:
    """Backslashes are added before what would open another block, and space at the ends goes."""
    rich_text = runs_of(runs)
    typed = re.sub(r"\s|\\", "", plain(rich_text))
    assert typed == re.sub(r"\s|\\", "", "".join(run["plain_text"] for run in runs))
    assert re.sub(r"\s|\\", "", markdown(rich_text)) == typed
    assert re.sub(r"\s|\\", "", inline(rich_text)) == typed


OPTIONS = st.lists(st.builds(lambda name: {"id": "o", "name": name, "color": "red"}, WORDS), max_size=3)
PLAIN_VALUES = st.one_of(
    st.builds(lambda runs: {"type": "rich_text", "rich_text": runs}, RUNS),
    st.builds(lambda options: {"type": "multi_select", "multi_select": options}, OPTIONS),
    st.builds(lambda name: {"type": "status", "status": {"name": name}}, WORDS),
    st.builds(lambda word: {"type": "url", "url": word}, WORDS),
    st.builds(lambda word: {"type": "formula", "formula": {"type": "string", "string": word}}, WORDS),
    st.builds(lambda name: {"type": "people", "people": [{"object": "user", "id": "1", "name": name}]}, WORDS),
    st.builds(lambda name: {"type": "files", "files": [{"name": name, "file": {"url": "https://1.1/2?3"}}]}, WORDS),
    st.builds(lambda word: {"type": "hologram", "hologram": [{"name": word, "id": "1"}]}, WORDS),
)
ROLLUPS = st.builds(
    lambda values: {"type": "rollup", "rollup": {"type": "array", "array": values}}, st.lists(PLAIN_VALUES, max_size=3)
)


def words_of_value(value: dict[str, Any]) -> list[str]:
    content = value[value["type"]]
    if isinstance(content, str):
        return [content]
    if isinstance(content, list):
        return [word for one in content for word in one.get("plain_text", one.get("name", "")).split()]
    if "array" in content:
        return [word for one in content["array"] for word in words_of_value(one)]
    return [content.get("name") or content.get("string")]


@given(st.dictionaries(WORDS, PLAIN_VALUES | ROLLUPS, max_size=4))
def test_no_word_of_a_property_is_lost_and_none_invented(properties: dict[str, dict[str, Any]]) -> None:
    expected = [
        word for name, value in properties.items() if (words := words_of_value(value)) for word in (name, *words)
    ]
    assert re.findall(r"[a-häπ]+", " ".join(property_lines(properties_of(properties), KNOWN))) == expected


@given(st.lists(st.tuples(st.sampled_from(["d1", "d2"]), RUNS), max_size=6))
def test_no_word_of_a_comment_is_lost_and_none_invented(said: list[tuple[str, list[dict[str, Any]]]]) -> None:
    comments = [
        NotionComment.model_validate({"discussion_id": discussion, "rich_text": runs}) for discussion, runs in said
    ]
    shown = comments_markdown(comments, KNOWN).removeprefix("## Comments")
    first = list(dict.fromkeys(discussion for discussion, _ in said))
    in_order = sorted(said, key=lambda one: first.index(one[0]))
    assert re.findall(r"[a-häπ]+", shown) == words_of([runs for _, runs in in_order])
