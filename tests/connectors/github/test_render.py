from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from connectors.github.payloads.graphql import GitHubDiscussion
from connectors.github.payloads.parsing import parse
from connectors.github.payloads.rest import (
    GitHubComment,
    GitHubIssue,
    GitHubRelease,
    GitHubReview,
    GitHubReviewComment,
)
from connectors.github.render.discussions import render_discussion
from connectors.github.render.issue_facts import IssueRelations, issue_state
from connectors.github.render.issues import closing_references, render_issue, render_pull_request
from connectors.github.render.releases import render_release

PLAIN: dict[str, Any] = {"number": 1, "title": "Title", "state": "open", "body": "Body", "user": {"login": "ada"}}


def issue(payload: dict[str, Any], comments: Iterable[dict[str, Any]]) -> str:
    return render_issue(parse(GitHubIssue, payload), [parse(GitHubComment, one) for one in comments])


def pull_request(
    payload: dict[str, Any],
    comments: Iterable[dict[str, Any]],
    reviews: Iterable[dict[str, Any]],
    review_comments: Iterable[dict[str, Any]],
) -> str:
    return render_pull_request(
        parse(GitHubIssue, payload),
        [parse(GitHubComment, one) for one in comments],
        [parse(GitHubReview, one) for one in reviews],
        [parse(GitHubReviewComment, one) for one in review_comments],
    )


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
    assert issue_state(parse(GitHubIssue, {"number": 1, **payload})) == expected


@pytest.mark.parametrize(
    ("found", "names"), [(None, ()), ([{"name": "a"}, "b", {"name": None}, {}], ("a", "b")), ([], ())]
)
def test_labels(found: Any, names: tuple[str, ...]) -> None:
    assert parse(GitHubIssue, {"number": 1, "labels": found}).label_names == names


FACTS: list[tuple[dict[str, Any], str]] = [
    ({"type": {"name": "Outage"}}, "State: open · Type: Outage"),
    ({"type": "Bug"}, "State: open · Type: Bug"),
    ({"type": {"name": None}}, "State: open"),
    ({"assignee": {"login": "bodil"}}, "State: open · Assignees: bodil"),
    (
        {"assignee": {"login": "eve"}, "assignees": [{"login": "eve"}, {"login": "cy"}]},
        "State: open · Assignees: eve, cy",
    ),
    ({"locked": True, "active_lock_reason": "too heated"}, "State: open · Locked: too heated"),
    ({"locked": True, "active_lock_reason": None}, "State: open · Locked: yes"),
    ({"locked": False, "active_lock_reason": None}, "State: open"),
    ({"sub_issues_summary": {"total": 3, "completed": 1}}, "State: open · Sub-issues: 1 of 3 completed"),
    ({"sub_issues_summary": {"total": 0, "completed": 0}}, "State: open"),
    (
        {"issue_dependencies_summary": {"blocked_by": 1, "blocking": 2}},
        "State: open · Blocked by: 1 issue · Blocking: 2 issues",
    ),
    (
        {"issue_dependencies_summary": "odd", "sub_issues_summary": 7, "issue_field_values": {"a": 1}, "type": 7},
        "State: open",
    ),
    (
        {
            "requested_reviewers": [{"login": "bob"}, None, {}],
            "requested_teams": [{"name": "Web", "slug": "web"}],
        },
        "State: open · Reviews requested from: bob, team Web",
    ),
    (
        {
            "issue_field_values": [
                {
                    "issue_field_name": "Priority",
                    "value": "Urgent",
                    "single_select_option": {"id": 1, "name": "Urgent"},
                },
                {"issue_field_name": "Effort", "value": 2.5},
                {"issue_field_name": "Teams", "value": None, "multi_select_options": [{"name": "A"}, {"name": "B"}]},
                {"issue_field_name": "Note", "value": "two\n# lines"},
                {"issue_field_name": "New kind", "value": ["x", "y"]},
                {"issue_field_name": "Empty", "value": None},
                {"single_select_option": {"name": "nameless"}, "value": 1},
                7,
            ]
        },
        "State: open\n"
        "Priority: Urgent · Effort: 2.5 · Teams: A, B · Note: two # lines · New kind: x, y · Field: nameless",
    ),
]


@pytest.mark.parametrize(("payload", "facts"), FACTS)
def test_what_is_set_at_an_issue_s_side(payload: dict[str, Any], facts: str) -> None:
    assert issue({"number": 1, "state": "open", **payload}, []) == facts


def test_other_issues_are_named() -> None:
    payload = {"number": 1, "sub_issues_summary": {"total": 2, "completed": 1}}
    relations = IssueRelations("#9", ("#2", "#3 (closed)"), ("acme/web#4",))
    assert render_issue(parse(GitHubIssue, payload), [], relations) == (
        "State: open · Parent: #9 · Sub-issues: 1 of 2 completed (#2, #3 (closed)) · Blocked by: acme/web#4"
    )


def test_nothing_known() -> None:
    assert (
        issue({"number": 1, "body": None, "user": None}, [{"body": None, "user": None}])
        == "State: open\n\n## Comment by ghost"
    )


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ({"path": "a.py", "line": 12, "start_line": 9}, "`a.py` lines 9 to 12"),
        ({"path": "a.py", "line": 12, "start_line": 12}, "`a.py` line 12"),
        ({"path": "a.py", "line": None, "original_line": 7, "original_start_line": 5}, "`a.py` lines 5 to 7"),
        ({"path": "a.py", "line": None, "original_line": None}, "`a.py`"),
        ({}, "the changes"),
    ],
)
def test_a_comment_on_lines_says_which(place: dict[str, Any], shown: str) -> None:
    text = pull_request({"number": 1}, [], [], [said("Why?", **place)])
    assert f"## Comment on {shown} by bob" in text


def test_a_comment_on_lines_shows_the_end_of_their_hunk_once() -> None:
    hunk = "@@ -1,20 +1,20 @@ def mill():\n" + "\n".join(f" line {number}" for number in range(20)) + "\n+```grind"
    comments = [said("Why?", path="a.py", line=21, diff_hunk=hunk), said("So", diff_hunk=hunk, in_reply_to_id=1)]
    text = pull_request({"number": 1}, [], [], comments)
    shown = "\n".join([*(f" line {number}" for number in range(13, 20)), "+```grind"])
    assert f"UTC\n\n````diff\n{shown}\n````\n\nWhy?" in text
    assert text.count("grind") == 1


def test_comments_that_were_minimized_are_left_out() -> None:
    comments = [said("Good"), said("Spam", minimized={"reason": "spam"}), said("Odd", minimized="odd")]
    assert issue(PLAIN, comments) == issue(PLAIN, [comments[0], comments[2]])
    assert "Spam" not in pull_request(PLAIN, comments, [], [said("Spam", minimized={"reason": None})])


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


WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=12)
SENTENCES = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)


@st.composite
def discussions(draw: st.DrawFn) -> dict[str, Any]:
    def node(body: str, day: int, **more: Any) -> dict[str, Any]:
        return {"body": body, "createdAt": f"2026-01-{day:02}T00:00:00Z", "author": {"login": "bob"}, **more}

    days = st.integers(1, 28)
    replies = st.lists(st.builds(node, SENTENCES, days), max_size=3).map(lambda found: {"nodes": found})
    comments = draw(st.lists(st.builds(node, SENTENCES, days, replies=replies, isAnswer=st.booleans()), max_size=4))
    return {"number": 1, "body": draw(SENTENCES), "comments": {"nodes": comments}, "category": {"name": "Ideas"}}


@given(discussions())
def test_no_word_of_a_discussion_is_lost_and_none_is_invented(payload: dict[str, Any]) -> None:
    comments = payload["comments"]["nodes"]
    said = [
        payload["body"],
        *(one["body"] for one in comments),
        *(r["body"] for c in comments for r in c["replies"]["nodes"]),
    ]
    ours = r"State: open · Category: Ideas|#{2,3} (Answer|Comment|Reply) by bob, 2026-01-\d\d 00:00 UTC"
    shown = re.sub(ours, "", render_discussion(parse(GitHubDiscussion, payload)))
    assert sorted(words(shown)) == sorted(word for body in said for word in words(closed(body)))


@given(SENTENCES, st.lists(SENTENCES, max_size=4), st.lists(SENTENCES, max_size=3))
def test_no_word_of_a_pull_request_is_lost_and_none_is_invented(
    body: str, comments: list[str], reviews: list[str]
) -> None:
    payload = {"number": 1, "state": "open", "body": body}
    text = pull_request(
        payload, [said(one) for one in comments], [{"state": "APPROVED", "body": one} for one in reviews], []
    )
    ours = r"\AState: open|## (Comment by bob, 2026-01-02 03:04 UTC|Approved by ghost)"
    found = sorted(words(re.sub(ours, "", text)))
    assert found == sorted(word for one in (body, *comments, *reviews) for word in words(closed(one)))


def words(text: str) -> list[str]:
    """Words of a text; the number of marks before a heading is the renderer's to choose."""
    return [word for word in text.split() if set(word) != {"#"}]


def closed(body: str) -> str:
    """A body as the renderer must keep it: with the fence that it leaves open closed."""
    fence = re.match(r"(`{3,}(?=[^`]*$)|~{3,})", body)
    return f"{body} {fence[1]}" if fence else body


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("Closes #12", ("#12",)),
        ("fixes: #1, resolves acme/web#2 and closed #1", ("#1", "acme/web#2")),
        ("Fixed https://github.com/acme/web/issues/7.", ("acme/web#7",)),
        ("See #12; prefixes #3; fix it", ()),
        ("closes #", ()),
        (None, ()),
    ],
)
def test_linked_issues(body: str | None, found: tuple[str, ...]) -> None:
    payload = {"number": 1, "body": body}
    assert closing_references(parse(GitHubIssue, {**payload, "pull_request": {"merged_at": None}})) == found
    assert closing_references(parse(GitHubIssue, payload)) == ()


def test_release() -> None:
    payload = {
        "id": 1,
        "tag_name": "v2",
        "prerelease": True,
        "published_at": "2026-03-01T00:00:00Z",
        "body": "# New\r\n- It sings",
        "assets": [
            {"name": "mill.zip", "download_count": 3, "label": None},
            {"name": "mill.exe", "label": "Windows installer"},
            {"name": "a.txt", "label": "a.txt"},
            {"name": "", "label": "Notes"},
        ],
    }
    assert (
        render_release(parse(GitHubRelease, payload)) == "Tag: v2 · State: pre-release · Published: 2026-03-01 "
        "· Files: mill.zip, Windows installer (mill.exe), a.txt, Notes\n\n# New\n- It sings"
    )
    assert render_release(parse(GitHubRelease, {"id": 1})) == ""
