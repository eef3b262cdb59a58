"""An issue and its comments as Markdown. Linear's descriptions and comments are Markdown already."""

from __future__ import annotations

from collections.abc import Sequence

from headrace_linear.payloads import LinearComment, LinearIssue


def issue_markdown(issue: LinearIssue, comments: Sequence[LinearComment]) -> str:
    """State, priority and assignee in a line, the description, then comments from the first to the last."""
    facts = {"State": issue.state.name, "Priority": issue.priority_label, "Assignee": issue.assignee.name}
    line = " · ".join(f"{name}: {value}" for name, value in facts.items() if value)
    said = sorted(comments, key=lambda comment: (comment.created_at or comment.updated_at, comment.id))
    parts = [f"{issue.identifier}  {line}".strip(), issue.description.strip(), *map(_comment, said)]
    return "\n\n".join(part for part in parts if part)


def _comment(comment: LinearComment) -> str:
    at = comment.created_at or comment.updated_at
    return f"## {comment.user.name or 'Somebody'}, {at:%Y-%m-%d}\n\n{comment.body.strip()}"
