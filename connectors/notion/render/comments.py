"""Comments to Markdown. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.notion.payloads import NotionComment
from connectors.notion.render.properties import NotionNames
from connectors.notion.render.rich_text import joined, markdown


def comments_markdown(comments: Sequence[NotionComment], names: NotionNames) -> str:
    """Comments under a heading, discussion by discussion, in the order in which they were made."""
    discussions: dict[str, list[str]] = {}
    for comment in comments:
        text = _comment(comment, names)
        discussions.setdefault(comment.discussion_id, []).extend([text] if text else [])
    texts = [text for discussion in discussions.values() for text in discussion]
    return joined(("## Comments", *texts), "\n\n") if texts else ""


def _comment(comment: NotionComment, names: NotionNames) -> str:
    attached = ", ".join(one.category or "file" for one in comment.attachments)
    text = joined((markdown(comment.rich_text), f"(attached: {attached})" if attached else ""))
    if not text:
        return ""
    day = comment.created_time[:10]
    said = joined((_author(comment, names), day and f"({day})"))
    return f"{said}: {text}" if said else text


def _author(comment: NotionComment, names: NotionNames) -> str:
    author = comment.created_by
    return comment.display_name.resolved_name or author.name or names.people.get(author.id, "")
