"""Issues and pull requests as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias, TypeVar

from connectors.github.payloads.rest import GitHubComment, GitHubIssue, GitHubReview, GitHubReviewComment
from connectors.github.render.issue_facts import NO_RELATIONS, IssueRelations, render_facts
from connectors.github.render.markdown import COMMENT_LEVEL, embed, join_blocks, render_entry

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
LINES_OF_CODE = 8
MOST_OF_A_LINE = 300
"""What is shown of the code that a comment is about: the last lines, and so many characters of each."""

C = TypeVar("C", bound=GitHubComment)
_Entry: TypeAlias = tuple[str, str]
"""When it was said, and its Markdown."""


def render_issue(
    issue: GitHubIssue, comments: Iterable[GitHubComment], relations: IssueRelations = NO_RELATIONS
) -> str:
    """What is set at an issue's side, its description, and its comments from old to new."""
    facts = render_facts(issue, closing_references(issue), relations)
    return join_blocks([facts, embed(issue.body), *_in_order(map(_comment, _shown(comments)))])


def render_pull_request(
    pull: GitHubIssue,
    comments: Iterable[GitHubComment],
    reviews: Iterable[GitHubReview],
    review_comments: Iterable[GitHubReviewComment],
) -> str:
    """As an issue, with verdicts and comments on lines among the comments."""
    discussion = [
        *map(_comment, _shown(comments)),
        *(_review(review) for review in reviews if _is_visible(review)),
        *map(_review_comment, _shown(review_comments)),
    ]
    facts = render_facts(pull, closing_references(pull), NO_RELATIONS)
    return join_blocks([facts, embed(pull.body), *_in_order(discussion)])


def closing_references(pull: GitHubIssue) -> tuple[str, ...]:
    """The issues that a pull request's description says it closes: `#12`, or `acme/web#7` in another repository."""
    if not pull.is_pull_request and not pull.head:
        return ()
    found = _CLOSES.finditer(pull.body or "")
    names = (f"{one['path'] or one['name'] or ''}#{one['linked'] or one['number']}" for one in found)
    return tuple(dict.fromkeys(names))


def _shown(comments: Iterable[C]) -> Iterator[C]:
    """What was minimized (as spam, off-topic, outdated …) is left out, as GitHub folds it away."""
    return (comment for comment in comments if comment.minimized is None)


def _comment(comment: GitHubComment) -> _Entry:
    return _entry("Comment", comment, comment.created_at)


def _review(review: GitHubReview) -> _Entry:
    return _entry(_VERDICTS.get(review.state.upper(), "Review"), review, review.submitted_at)


def _is_visible(review: GitHubReview) -> bool:
    """A pending review is its author's draft; a review without words or verdict only holds comments on lines."""
    verdict = review.state.upper()
    return verdict != "PENDING" and bool(verdict in ("APPROVED", "CHANGES_REQUESTED") or review.body)


def _review_comment(comment: GitHubReviewComment) -> _Entry:
    """Replies stand below the first comment, which shows the code."""
    place = f"`{comment.path}`" if comment.path else "the changes"
    what = "Reply" if comment.in_reply_to_id else "Comment"
    when, markdown = _entry(f"{what} on {place}{_lines(comment)}", comment, comment.created_at)
    if comment.in_reply_to_id:
        return when, markdown
    heading, _, body = markdown.partition("\n\n")
    return when, join_blocks([heading, _hunk(comment.diff_hunk), body])


def _lines(comment: GitHubReviewComment) -> str:
    start, end = (
        (comment.start_line, comment.line) if comment.line else (comment.original_start_line, comment.original_line)
    )
    if not end:
        return ""
    return f" lines {start} to {end}" if start and start < end else f" line {end}"


def _hunk(hunk: str) -> str:
    """The lines of the changes that the comment is about, which are the last of its hunk."""
    lines = [line[:MOST_OF_A_LINE] for line in hunk.splitlines() if not line.startswith("@@")][-LINES_OF_CODE:]
    if not lines:
        return ""
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}diff", *lines, fence])


def _entry(what: str, said: GitHubComment | GitHubReview, when: str) -> _Entry:
    return when, render_entry(what, said.user, when, said.body, COMMENT_LEVEL)


def _in_order(entries: Iterable[_Entry]) -> list[str]:
    # By time alone: what was said in the same moment stays in the order of its listing.
    return [markdown for _, markdown in sorted(entries, key=lambda entry: entry[0])]
