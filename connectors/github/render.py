"""Issues, pull requests, discussions and releases as the Markdown that a person would read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from connectors.github.graphql import nodes
from connectors.github.responses import Payload

GHOST = "ghost"
"""The name that GitHub shows where an account was deleted."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")
_HEADING = re.compile(r" {0,3}(#{1,6})(?=\s)")
_COMMENT_LEVEL = 2
_REPLY_LEVEL = 3
_CLOSES = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+"
    r"(?:https?://[^\s/]+/(?P<path>[\w.-]+/[\w.-]+)/issues/(?P<linked>\d+)|(?P<name>[\w.-]+/[\w.-]+)?#(?P<number>\d+))\b",
    re.IGNORECASE,
)
"""https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue"""
_VERDICTS = {
    "APPROVED": "Approved",
    "CHANGES_REQUESTED": "Changes requested",
    "DISMISSED": "Dismissed review",
    "COMMENTED": "Review",
}


def issue(payload: Payload, comments: Iterable[Payload]) -> str:
    """Markdown of an issue: a line on its state, its description, its comments from old to new."""
    return _joined([_facts(payload), _whole(payload.get("body")), *_in_order(map(_comment, comments))])


def pull_request(
    payload: Payload, comments: Iterable[Payload], reviews: Iterable[Payload], review_comments: Iterable[Payload]
) -> str:
    """Markdown of a pull request: as an issue, with verdicts and comments on lines among the comments.

    `payload` has the form of an issue or of a pull request.
    """
    discussion = [
        *map(_comment, comments),
        *(_review(review) for review in reviews if _is_said(review)),
        *map(_review_comment, review_comments),
    ]
    return _joined([_facts(payload), _whole(payload.get("body")), *_in_order(discussion)])


def discussion(payload: Payload) -> str:
    """Markdown of a discussion in the form of GraphQL, replies below what they reply to."""
    facts = {
        "State": ", ".join(_discussion_states(payload)),
        "Category": (payload.get("category") or {}).get("name"),
        "Labels": ", ".join(_discussion_labels(payload)),
    }
    said = [_thread(comment) for comment in _by_time(nodes(payload.get("comments")))]
    return _joined([_line(facts), _whole(payload.get("body")), *said])


def release(payload: Payload) -> str:
    """Markdown of a release: its tag, its notes, and the names of its files."""
    assets = [str(asset.get("name")) for asset in payload.get("assets") or () if asset and asset.get("name")]
    facts = {
        "Tag": payload.get("tag_name"),
        "State": "pre-release" if payload.get("prerelease") else "",
        "Published": str(payload.get("published_at") or "")[:10],
        "Files": ", ".join(assets),
    }
    return _joined([_line(facts), _whole(payload.get("body"))])


def state(payload: Payload) -> str:
    """`open`, `closed` or `merged`."""
    if merged_at(payload):
        return "merged"
    return str(payload.get("state") or "open")


def merged_at(payload: Payload) -> str | None:
    return payload.get("merged_at") or (payload.get("pull_request") or {}).get("merged_at")


def labels(payload: Payload) -> tuple[str, ...]:
    """Names of the labels; old servers give names, newer ones objects."""
    found = (label.get("name") if isinstance(label, dict) else label for label in payload.get("labels") or ())
    return tuple(str(name) for name in found if name)


def discussion_tags(payload: Payload) -> tuple[str, ...]:
    category = (payload.get("category") or {}).get("name")
    return (*_discussion_states(payload), *([str(category)] if category else ()), *_discussion_labels(payload))


def author(payload: Payload) -> str:
    """Login of whoever wrote it."""
    return login(payload.get("user"))


def login(account: Payload | None) -> str:
    return str((account or {}).get("login") or GHOST)


def closes(payload: Payload) -> tuple[str, ...]:
    """The issues that a pull request's description says it closes: `#12`, or `acme/web#7` in another repository."""
    if not payload.get("pull_request") and not payload.get("head"):
        return ()
    found = _CLOSES.finditer(str(payload.get("body") or ""))
    names = (f"{one['path'] or one['name'] or ''}#{one['linked'] or one['number']}" for one in found)
    return tuple(dict.fromkeys(names))


def _facts(payload: Payload) -> str:
    assignees = [str(one.get("login")) for one in payload.get("assignees") or () if one and one.get("login")]
    milestone = (payload.get("milestone") or {}).get("title")
    named = {
        "State": f"{'draft, ' if payload.get('draft') else ''}{state(payload)}{_why(payload)}",
        "Labels": ", ".join(labels(payload)),
        "Milestone": milestone,
        "Assignees": ", ".join(assignees),
        "Branch": _branches(payload),
        "Closes": ", ".join(closes(payload)),
    }
    return _line(named)


def _line(facts: dict[str, str | None]) -> str:
    return " · ".join(f"{name}: {value}" for name, value in facts.items() if value)


def _why(payload: Payload) -> str:
    reason = payload.get("state_reason")
    return f" ({str(reason).replace('_', ' ')})" if reason and state(payload) == "closed" else ""


def _branches(payload: Payload) -> str:
    head, base = ((payload.get(side) or {}).get("ref") for side in ("head", "base"))
    return f"{head} into {base}" if head and base else ""


_Entry = tuple[str, str]
"""When it was said, and its Markdown."""


def _comment(comment: Payload) -> _Entry:
    return _entry("Comment", comment, str(comment.get("created_at") or ""))


def _review(review: Payload) -> _Entry:
    verdict = _VERDICTS.get(str(review.get("state") or "").upper(), "Review")
    return _entry(verdict, review, str(review.get("submitted_at") or ""))


def _is_said(review: Payload) -> bool:
    """A pending review is its author's draft; a review without words or verdict only holds comments on lines."""
    verdict = str(review.get("state") or "").upper()
    return verdict != "PENDING" and bool(verdict in ("APPROVED", "CHANGES_REQUESTED") or review.get("body"))


def _review_comment(comment: Payload) -> _Entry:
    place = f"`{comment['path']}`" if comment.get("path") else "the changes"
    line = comment.get("line") or comment.get("original_line")
    where = f"{place} line {line}" if line else place
    what = "Reply" if comment.get("in_reply_to_id") else "Comment"
    return _entry(f"{what} on {where}", comment, str(comment.get("created_at") or ""))


def _entry(what: str, payload: Payload, when: str) -> _Entry:
    heading = f"{'#' * _COMMENT_LEVEL} {what} by {author(payload)}{_day(when)}"
    return when, _joined([heading, _whole(payload.get("body"), below=_COMMENT_LEVEL)])


def _discussion_states(payload: Payload) -> list[str]:
    reason = str(payload.get("stateReason") or "").lower()
    closed = f"closed as {reason}" if reason in ("duplicate", "outdated") else "closed"
    return ["answered"] * bool(payload.get("answer")) + [closed if payload.get("closed") else "open"]


def _discussion_labels(payload: Payload) -> list[str]:
    return [str(label["name"]) for label in nodes(payload.get("labels")) if label.get("name")]


def _thread(comment: Payload) -> str:
    replies = [_said("Reply", reply, _REPLY_LEVEL) for reply in _by_time(nodes(comment.get("replies")))]
    return _joined([_said("Answer" if comment.get("isAnswer") else "Comment", comment, _COMMENT_LEVEL), *replies])


def _said(what: str, node: Payload, level: int) -> str:
    heading = f"{'#' * level} {what} by {login(node.get('author'))}{_day(str(node.get('createdAt') or ''))}"
    return _joined([heading, _whole(node.get("body"), below=level)])


def _by_time(said: Iterable[Payload]) -> list[Payload]:
    return sorted(said, key=lambda node: str(node.get("createdAt") or ""))


def _day(when: str) -> str:
    return f", {when[:16].replace('T', ' ')} UTC" if when else ""


def _in_order(entries: Iterable[_Entry]) -> list[str]:
    return [markdown for _, markdown in sorted(entries, key=lambda entry: entry[0])]


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _whole(body: str | None, below: int = 0) -> str:
    """`body` as a part of a larger text: headings go `below` levels down, and a code block left open is closed."""
    return "\n".join(_lines((body or "").replace("\r\n", "\n").strip(), below))


def _lines(body: str, below: int) -> Iterator[str]:
    fence = ""
    for line in body.split("\n"):
        if fenced := _FENCE.match(line):
            fence = _fence_after(fence, fenced[1], fenced[2])
        elif not fence and below and (heading := _HEADING.match(line)):
            level = min(len(heading[1]) + below, 6)
            line = "#" * level + line[heading.end() :]
        yield line
    if fence:
        yield fence


def _fence_after(fence: str, marks: str, info: str) -> str:
    """The fence that is open after a line of `marks`: https://spec.commonmark.org/0.31.2/#fenced-code-blocks"""
    if not fence:
        return "" if marks[0] == "`" and "`" in info else marks
    closes = marks[0] == fence[0] and len(marks) >= len(fence) and not info.strip()
    return "" if closes else fence
