"""Messages to Markdown: who, when, and everything that a person sees of a message. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.slack.client import Payload, is_time, number
from connectors.slack.payloads import dicts, fields, unescaped
from connectors.slack.render.blocks import render_blocks
from connectors.slack.render.mrkdwn import Names, markdown

NOISE = frozenset(
    {
        "bot_add",
        "bot_remove",
        "channel_archive",
        "channel_convert_to_private",
        "channel_convert_to_public",
        "channel_join",
        "channel_leave",
        "channel_name",
        "channel_posting_permissions",
        "channel_purpose",
        "channel_topic",
        "channel_unarchive",
        "group_archive",
        "group_join",
        "group_leave",
        "group_name",
        "group_purpose",
        "group_topic",
        "group_unarchive",
        "pinned_item",
        "reminder_add",
        "tombstone",
        "unpinned_item",
    }
)
"""Subtypes that say nothing but what happened to the channel."""

LONGEST_TITLE = 80


def is_noise(message: Payload) -> bool:
    return message.get("subtype") in NOISE


def moment(ts: str) -> datetime:
    """A message's time, to the microsecond."""
    seconds, microseconds = number(ts)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)


def last_change(messages: Sequence[Payload]) -> datetime:
    """When the latest of these messages was written or edited."""
    edits = [ts for message in messages if is_time(ts := fields(message.get("edited")).get("ts"))]
    return max(moment(ts) for ts in [*(message["ts"] for message in messages), *edits])


def author(message: Payload, names: Names) -> str:
    """Display name of whoever wrote a message, a bot's own name included."""
    user = str(message.get("user") or "")
    told = [message.get("username"), fields(message.get("bot_profile")).get("name")]
    if user and not message.get("username"):
        name, profile = names.user(user), fields(message.get("user_profile"))
        if name != user:
            return name
        # Of people of other organisations the message itself may tell more than the directory does.
        told = [profile.get("display_name"), profile.get("real_name"), profile.get("name"), *told, user]
    return str(next((name for name in (*told, message.get("bot_id")) if name), "unknown"))


def render_messages(messages: Sequence[Payload], names: Names) -> str:
    """A conversation: each message under its author and time (UTC)."""
    return "\n\n".join(
        f"**{author(message, names)}** ({moment(message['ts']):%Y-%m-%d %H:%M}): {body}"
        for message in messages
        if (body := render_body(message, names))
    )


def render_body(message: Payload, names: Names) -> str:
    """Text, blocks, attachments and files of a message; what two of them say alike stands once."""
    text = markdown(str(message.get("text") or ""), names).strip()
    blocks = render_blocks(message.get("blocks"), names)
    pieces = _without_repetition([text, blocks])
    pieces += [_attachment(one, names) for one in dicts(message.get("attachments"))]
    pieces += [_file(one) for one in dicts(message.get("files"))]
    return "\n\n".join(piece for piece in pieces if piece)


def title(message: Payload, names: Names) -> str:
    """The first line of a message, shortened."""
    lines = [line for line in re.sub(r"[*`]|\\(?=#)", "", render_body(message, names)).splitlines() if line.strip()]
    first = lines[0].strip() if lines else ""
    return first if len(first) <= LONGEST_TITLE else f"{first[: LONGEST_TITLE - 1].rstrip()}…"


def _without_repetition(pieces: Sequence[str]) -> list[str]:
    """Leave out a piece whose words all stand, in order, in another one; of equal ones, the later."""
    kept: list[str] = []
    for piece in sorted(pieces, key=lambda piece: len(_words(piece)), reverse=True):
        if not any(f" {_words(piece)} " in f" {_words(other)} " for other in kept):
            kept.append(piece)
    return [piece for piece in dict.fromkeys(pieces) if piece in kept]


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _attachment(attachment: Payload, names: Names) -> str:
    """https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments"""
    bodies = [
        markdown(str(attachment.get("text") or ""), names),
        render_blocks(attachment.get("blocks"), names),
        render_blocks([b for m in dicts(attachment.get("message_blocks")) for b in _inner_blocks(m)], names),
    ]
    parts = [
        unescaped(attachment.get("service_name")),
        _linked(unescaped(attachment.get("title")), attachment.get("title_link")),
        *(markdown(str(attachment.get(key) or ""), names) for key in ("pretext", "author_name", "author_subname")),
        *_without_repetition(bodies),
        *(_field(one, names) for one in dicts(attachment.get("fields"))),
        *(_file(one) for one in dicts(attachment.get("files"))),
        *(unescaped(one.get("text")) for one in dicts(attachment.get("actions"))),
        unescaped(attachment.get("footer")),
    ]
    said = [part for part in parts if part.strip()] or [markdown(str(attachment.get("fallback") or ""), names)]
    return "\n".join(f"> {line}" for part in said for line in part.splitlines())


def _inner_blocks(shared: Payload) -> list[Payload]:
    return dicts(fields(shared.get("message")).get("blocks"))


def _field(field: Payload, names: Names) -> str:
    name, value = unescaped(field.get("title")), markdown(str(field.get("value") or ""), names)
    return f"{name}: {value}" if name and value else name or value


def _file(file: Payload) -> str:
    """https://docs.slack.dev/reference/objects/file-object"""
    name = str(file.get("title") or file.get("name") or "")
    heading = f"File: {_linked(name, file.get('permalink'))}" if name else ""
    heard = fields(fields(file.get("transcription")).get("preview")).get("content")
    said = (file.get("alt_txt"), file.get("preview") or file.get("plain_text"), heard)
    return "\n".join(part for part in (heading, *(str(text or "").strip() for text in said)) if part)


def _linked(text: Any, url: Any) -> str:
    return f"[{text}]({url})" if text and url else str(text or "")
