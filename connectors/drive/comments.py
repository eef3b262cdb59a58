"""Comments beside a file, as the last section of its text.

Source: https://developers.google.com/workspace/drive/api/guides/manage-comments
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from connectors.drive.formats import Content
from connectors.drive.payloads import Comment, Reply
from connectors.model import HTML, MARKDOWN

HEADING = "Comments"


def takes_comments(content: Content) -> bool:
    """Whether comments can be shown in it: a document's text, not a file's bytes."""
    return isinstance(content.body, str) and content.media_type in (MARKDOWN, HTML)


def with_comments(content: Content, comments: Sequence[Comment]) -> Content:
    """The content, and after it what was said about it; each comment under the passage that it is about."""
    said = [comment for comment in comments if _texts(comment)]
    if not said or not isinstance(content.body, str):
        return content
    section = _as_html(said) if content.media_type == HTML else _as_markdown(said)
    return Content(f"{content.body.rstrip()}\n\n{section}\n", content.media_type)


def _as_markdown(comments: Sequence[Comment]) -> str:
    blocks = [f"## {HEADING}"]
    for comment in comments:
        if quoted := _quoted(comment):
            blocks.append("\n".join(f"> {line}" for line in quoted.splitlines()))
        blocks += [f"**{author}:** {text}" if author else text for author, text in _texts(comment)]
    return "\n\n".join(blocks)


def _as_html(comments: Sequence[Comment]) -> str:
    parts = [f"<h2>{HEADING}</h2>"]
    for comment in comments:
        if quoted := _quoted(comment):
            parts.append(f"<blockquote>{html.escape(quoted)}</blockquote>")
        parts += [
            f"<p><b>{html.escape(author)}:</b> {html.escape(text)}</p>" if author else f"<p>{html.escape(text)}</p>"
            for author, text in _texts(comment)
        ]
    return "\n".join(parts)


def _texts(comment: Comment) -> list[tuple[str, str]]:
    """Author and text of a comment and its replies; nothing for those deleted or without words."""
    said: list[Reply] = [comment, *comment.replies]
    return [
        (one.author.display_name if one.author else "", one.content.strip())
        for one in said
        if not one.deleted and one.content.strip()
    ]


def _quoted(comment: Comment) -> str:
    """Google gives the passage with HTML entities, whatever the file's type."""
    return html.unescape(comment.quoted_file_content.value).strip() if comment.quoted_file_content else ""
