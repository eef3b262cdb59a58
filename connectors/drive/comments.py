"""Comments beside a file, as the last section of its text. Pure.

Source: https://developers.google.com/workspace/drive/api/guides/manage-comments
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from connectors.drive.payloads import DriveComment, DriveReply
from connectors.file_content import FileContent
from connectors.model import HTML, MARKDOWN

HEADING = "Comments"


def takes_comments(content: FileContent) -> bool:
    """Whether comments can be shown in it: a document's text, not a file's bytes."""
    return isinstance(content.body, str) and content.media_type in (MARKDOWN, HTML)


def add_comments(content: FileContent, comments: Sequence[DriveComment]) -> FileContent:
    """The content, followed by the comments; each under the passage that it is about."""
    with_words = [comment for comment in comments if _texts(comment)]
    if not with_words or not isinstance(content.body, str):
        return content
    section = _as_html(with_words) if content.media_type == HTML else _as_markdown(with_words)
    return FileContent(f"{content.body.rstrip()}\n\n{section}\n", content.media_type)


def _as_markdown(comments: Sequence[DriveComment]) -> str:
    blocks = [f"## {HEADING}"]
    for comment in comments:
        if passage := _passage(comment):
            blocks.append("\n".join(f"> {line}" for line in passage.splitlines()))
        blocks += [f"**{author}:** {text}" if author else text for author, text in _texts(comment)]
    return "\n\n".join(blocks)


def _as_html(comments: Sequence[DriveComment]) -> str:
    parts = [f"<h2>{HEADING}</h2>"]
    for comment in comments:
        if passage := _passage(comment):
            parts.append(f"<blockquote>{html.escape(passage)}</blockquote>")
        parts += [
            f"<p><b>{html.escape(author)}:</b> {html.escape(text)}</p>" if author else f"<p>{html.escape(text)}</p>"
            for author, text in _texts(comment)
        ]
    return "\n".join(parts)


def _texts(comment: DriveComment) -> list[tuple[str, str]]:
    """Author and text of a comment and its replies; nothing for those deleted or without words."""
    thread: list[DriveReply] = [comment, *comment.replies]
    return [
        (one.author.display_name if one.author else "", one.content.strip())
        for one in thread
        if not one.deleted and one.content.strip()
    ]


def _passage(comment: DriveComment) -> str:
    # Google gives the passage with HTML entities, whatever the type of the file.
    return html.unescape(comment.quoted_file_content.value).strip() if comment.quoted_file_content else ""
