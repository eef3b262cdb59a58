from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from connectors.github.render import issue, labels, pull_request, state

PLAIN: dict[str, Any] = {"number": 1, "title": "Title", "state": "open", "body": "Body", "user": {"login": "ada"}}


def said(body: str | None, when: str = "2026-01-02T03:04:05Z", login: str = "bob", **more: Any) -> dict[str, Any]:
    return {"body": body, "created_at": when, "user": {"login": login}, **more}


def test_issue() -> None:
    payload = {
        **PLAIN,
        "state": "closed",
        "state_reason": "not_planned",
        "labels": [{"name": "bug"}, {"name": "ui"}],
        "milestone": {"title": "v2"},
        "assignees": [{"login": "eve"}],
        "body": "It breaks.\r\n\r\n# Steps\r\n1. Open",
    }
    comments = [said("Second", "2026-02-01T10:00:00Z", "cy"), said("First", "2026-01-01T10:00:00Z")]
    assert (
        issue(payload, comments)
        == """\
State: closed (not planned) · Labels: bug, ui · Milestone: v2 · Assignees: eve

It breaks.

# Steps
1. Open

## Comment by bob, 2026-01-01 10:00 UTC

First

## Comment by cy, 2026-02-01 10:00 UTC

Second"""
    )


def test_pull_request() -> None:
    payload = {
        **PLAIN,
        "state": "closed",
        "draft": True,
        "head": {"ref": "fix"},
        "base": {"ref": "main"},
        "merged_at": "2026-01-09T00:00:00Z",
    }
    text = pull_request(
        payload,
        [said("Nice", "2026-01-03T00:00:00Z")],
        [
            {"state": "APPROVED", "body": "", "user": {"login": "eve"}, "submitted_at": "2026-01-05T00:00:00Z"},
            {"state": "COMMENTED", "body": "", "user": {"login": "nobody"}, "submitted_at": "2026-01-05T00:00:00Z"},
            {"state": "PENDING", "body": "draft", "user": {"login": "nobody"}, "submitted_at": None},
            {"state": "CHANGES_REQUESTED", "body": "Please test", "user": None, "submitted_at": "2026-01-02T00:00:00Z"},
        ],
        [
            said("Why?", "2026-01-02T00:00:01Z", path="src/a.py", line=12),
            said("Because", "2026-01-02T00:00:02Z", path="src/a.py", line=None, original_line=10, in_reply_to_id=1),
            said("File", "2026-01-02T00:00:03Z", path="src/a.py"),
        ],
    )
    assert (
        text
        == """\
State: draft, merged · Branch: fix into main

Body

## Changes requested by ghost, 2026-01-02 00:00 UTC

Please test

## Comment on `src/a.py` line 12 by bob, 2026-01-02 00:00 UTC

Why?

## Reply on `src/a.py` line 10 by bob, 2026-01-02 00:00 UTC

Because

## Comment on `src/a.py` by bob, 2026-01-02 00:00 UTC

File

## Comment by bob, 2026-01-03 00:00 UTC

Nice

## Approved by eve, 2026-01-05 00:00 UTC"""
    )


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({}, "open"),
        ({"state": "closed"}, "closed"),
        ({"state": "closed", "merged_at": "2026-01-01T00:00:00Z"}, "merged"),
        ({"state": "closed", "pull_request": {"merged_at": "2026-01-01T00:00:00Z"}}, "merged"),
        ({"state": "closed", "pull_request": {"merged_at": None}}, "closed"),
    ],
)
def test_state(payload: dict[str, Any], expected: str) -> None:
    assert state(payload) == expected


@pytest.mark.parametrize(
    ("found", "names"), [(None, ()), ([{"name": "a"}, "b", {"name": None}, {}], ("a", "b")), ([], ())]
)
def test_labels(found: Any, names: tuple[str, ...]) -> None:
    assert labels({"labels": found}) == names


def test_nothing_known() -> None:
    assert issue({"body": None, "user": None}, [{"body": None, "user": None}]) == "State: open\n\n## Comment by ghost"


def test_the_order_of_listings_does_not_matter() -> None:
    comments = [said(str(day), f"2026-01-0{day}T00:00:00Z") for day in range(1, 5)]
    assert len({issue(PLAIN, order) for order in permutations(comments)}) == 1


@pytest.mark.parametrize(
    ("body", "inside"),
    [
        ("# Big\n\ntext", "### Big\n\ntext"),
        ("##### Small", "###### Small"),
        ("#hashtag", "#hashtag"),
        ("```sh\n# not a heading\n```", "```sh\n# not a heading\n```"),
        ("~~~~\n~~~\n# code", "~~~~\n~~~\n# code\n~~~~"),
        ("```\nopen", "```\nopen\n```"),
        ("```\n```js\nstill open", "```\n```js\nstill open\n```"),
    ],
)
def test_comments_are_nested(body: str, inside: str) -> None:
    text = issue(PLAIN, [said(body)])
    assert text.endswith(f"## Comment by bob, 2026-01-02 03:04 UTC\n\n{inside}")


MARKS = st.lists(st.sampled_from(["```", "~~~", "````", "```py", "# x", "text", "``` `", "", "## y"]), max_size=8)


@given(st.lists(MARKS, min_size=1, max_size=4))
def test_no_comment_swallows_the_next(bodies: list[list[str]]) -> None:
    text = issue({**PLAIN, "body": "\n".join(bodies[0])}, [said("\n".join(body)) for body in bodies])
    tokens = MarkdownIt().parse(text)
    shown = [tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "heading_open"]
    assert sum(heading.startswith("Comment by bob") for heading in shown) == len(bodies)
