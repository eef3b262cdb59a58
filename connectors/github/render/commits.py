"""Comments on a commit as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.github.payloads.comments import CommitComment
from connectors.github.render.markdown import COMMENT_LEVEL, join_blocks, render_entry


def render_commit_comments(comments: Sequence[CommitComment]) -> str:
    """From old to new, each with the place that it is about."""
    return join_blocks([_render(comment) for comment in sorted(comments, key=lambda one: one.created_at)])


def _render(comment: CommitComment) -> str:
    place = f" on `{comment.path}`" if comment.path else ""
    line = f" line {comment.line}" if comment.path and comment.line else ""
    return render_entry(f"Comment{place}{line}", comment.user, comment.created_at, comment.body, COMMENT_LEVEL)
