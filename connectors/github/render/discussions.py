"""Discussions as Markdown: replies below what they reply to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from connectors.github.payloads.graphql import DiscussionComment, DiscussionPoll, DiscussionReply, GitHubDiscussion
from connectors.github.render.markdown import (
    COMMENT_LEVEL,
    REPLY_LEVEL,
    embed,
    fact_line,
    join_blocks,
    render_entry,
)

D = TypeVar("D", bound=DiscussionReply)


def render_discussion(discussion: GitHubDiscussion) -> str:
    """A line on its state, its description and poll, and its comments from old to new.

    What was minimized (as spam, off-topic, outdated …) is left out, as GitHub folds it away."""
    facts = {
        "State": ", ".join(_states(discussion)),
        "Category": _category(discussion),
        "Labels": ", ".join(_labels(discussion)),
    }
    threads = [_render_thread(comment) for comment in _by_time(discussion.comments.visible)]
    return join_blocks([fact_line(facts), embed(discussion.body), _render_poll(discussion.poll), *threads])


def discussion_tags(discussion: GitHubDiscussion) -> list[str]:
    category = _category(discussion)
    return [*_states(discussion), *([category] if category else ()), *_labels(discussion)]


def _states(discussion: GitHubDiscussion) -> list[str]:
    reason = discussion.state_reason.lower()
    closed = f"closed as {reason}" if reason in ("duplicate", "outdated") else "closed"
    return ["answered"] * bool(discussion.answer) + [closed if discussion.closed else "open"]


def _category(discussion: GitHubDiscussion) -> str:
    return discussion.category.name if discussion.category else ""


def _labels(discussion: GitHubDiscussion) -> list[str]:
    return [label.name for label in discussion.labels.visible if label.name] if discussion.labels else []


def _render_poll(poll: DiscussionPoll | None) -> str:
    if poll is None:
        return ""
    options = poll.options.visible if poll.options else []
    listed = "\n".join(f"- {' '.join(one.option.split())}" for one in options if one.option)
    question = " ".join(poll.question.split())
    return join_blocks([f"Poll: {question}" if question else "", listed])


def _render_thread(comment: DiscussionComment) -> str:
    what = "Answer" if comment.is_answer else "Comment"
    shown = [reply for reply in _by_time(comment.replies.visible) if not reply.is_minimized]
    replies = [_render_one("Reply", reply, REPLY_LEVEL) for reply in shown]
    if comment.is_minimized:
        return join_blocks(replies)
    return join_blocks([_render_one(what, comment, COMMENT_LEVEL), *replies])


def _render_one(what: str, said: DiscussionReply, level: int) -> str:
    return render_entry(what, said.author, said.created_at, said.body, level)


def _by_time(said: Sequence[D]) -> list[D]:
    return sorted(said, key=lambda one: one.created_at)
