"""Mails as files (EML)."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

from pipelines.chunking.blocks import Block, paragraphs
from pipelines.chunking.formats.html import html_blocks

_HEADERS = ("Subject", "From", "To", "Cc", "Date")


def mail_blocks(content: bytes) -> list[Block]:
    """The headers that people read, the body, and the names of what is attached."""
    mail = message_from_bytes(content, policy=policy.default)
    headers = "\n".join(f"{name}: {mail[name]}" for name in _HEADERS if mail[name])
    attached = ", ".join(name for part in mail.iter_attachments() if (name := part.get_filename()))
    return [
        *paragraphs(headers),
        *_body(mail),
        *paragraphs(f"Attachments: {attached}" if attached else ""),
    ]


def _body(mail: EmailMessage) -> Iterator[Block]:
    body = mail.get_body(preferencelist=("plain", "html"))
    if body is None:
        return
    text = body.get_content().replace("\r\n", "\n")  # lines of a mail end so on the wire
    yield from html_blocks(text) if body.get_content_subtype() == "html" else paragraphs(text)
