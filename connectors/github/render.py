"""Issues and pull requests as the Markdown that a person would read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from connectors.github.client import Payload

GHOST = "ghost"
"""The name that GitHub shows where an account was deleted."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")
_HEADING = re.compile(r" {0,3}(#{1,6})(?=\s)")
_COMMENT_LEVEL = 2
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


def author(payload: Payload) -> str:
    """Login of whoever wrote it."""
    return str((payload.get("user") or {}).get("login") or GHOST)


def _facts(payload: Payload) -> str:
    assignees = [str(person.get("login")) for person in payload.get("assignees") or () if person.get("login")]
    milestone = (payload.get("milestone") or {}).get("title")
    named = {
        "State": f"{'draft, ' if payload.get('draft') else ''}{state(payload)}{_why(payload)}",
        "Labels": ", ".join(labels(payload)),
        "Milestone": milestone,
        "Assignees": ", ".join(assignees),
        "Branch": _branches(payload),
    }
    return " · ".join(f"{name}: {value}" for name, value in named.items() if value)


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
    day = f", {when[:16].replace('T', ' ')} UTC" if when else ""
    heading = f"{'#' * _COMMENT_LEVEL} {what} by {author(payload)}{day}"
    return when, _joined([heading, _whole(payload.get("body"), below=_COMMENT_LEVEL)])


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
