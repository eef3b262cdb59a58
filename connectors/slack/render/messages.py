"""Messages to Markdown: who, when, and everything that a person sees of a message. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from connectors.slack.payloads import AttachmentField, HuddleRoom, SlackAttachment, SlackFile, SlackMessage
from connectors.slack.render.blocks import render_blocks
from connectors.slack.render.mrkdwn import Names, link, markdown, unescape
from connectors.slack.render.plain_text import first_line
from connectors.slack.render.structure import escape_structure
from connectors.slack.timestamps import moment, time_mark

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

_STAND_INS = frozenset(
    {
        "[no fallback]",
        "[no preview available]",
        "this content can't be displayed",
        "this message contains interactive elements",
    }
)
"""What Slack gives for what it cannot show as text, in lower case and without the full stop."""
_IMAGE_SIZE = re.compile(r"\d+x\d+px image")


def is_noise(message: SlackMessage) -> bool:
    return message.subtype in NOISE


def last_change(messages: Sequence[SlackMessage]) -> datetime:
    """When the latest of these messages was written or edited."""
    return max(moment(ts) for message in messages for ts in (message.ts, message.edited.ts) if ts)


def author_name(message: SlackMessage, names: Names) -> str:
    """Display name of the author of a message, a bot's own name included."""
    profile, bot = message.user_profile, message.bot_profile
    if message.username or not message.user:
        return message.username or bot.name or (names.bot(message.bot_id) if message.bot_id else "unknown")
    known = names.user(message.user)
    if known != message.user:
        return known
    # Of people of other organisations the message itself may tell more than the directory does.
    return profile.display_name or profile.real_name or profile.name or bot.name or message.user


def render_messages(messages: Sequence[SlackMessage], names: Names) -> str:
    """A conversation: each message under its author and time (UTC)."""
    return "\n\n".join(
        escape_structure(f"**{author_name(message, names)}** {time_mark(message.ts)}{body}")
        for message in messages
        if (body := render_body(message, names))
    )


def render_body(message: SlackMessage, names: Names) -> str:
    """Text, blocks, attachments and files of a message, without what one of them repeats of another."""
    pieces = _without_repetition([_words_of(message.text, names).strip(), render_blocks(message.blocks, names)])
    pieces += [_room(message.room, names)] if message.room else []
    pieces += [_attachment(attachment, names) for attachment in message.attachments]
    # A block shows a file as well that comes with its message.
    pieces += [shown for file in message.files if (shown := _file(file)) not in pieces]
    return "\n\n".join(piece for piece in pieces if piece)


def message_title(message: SlackMessage, names: Names) -> str:
    """The first line of a message as people see it, without markup, shortened."""
    first = first_line(render_body(message, names))
    return first if len(first) <= LONGEST_TITLE else f"{first[: LONGEST_TITLE - 1].rstrip()}…"


def _words_of(text: str, names: Names) -> str:
    """A text as Markdown; nothing for what Slack puts in the place of one."""
    plain = text.strip().replace("’", "'").rstrip(".").lower() if len(text) < LONGEST_TITLE else ""
    return "" if plain in _STAND_INS or _IMAGE_SIZE.fullmatch(plain) else markdown(text, names)


def _room(room: HuddleRoom, names: Names) -> str:
    """What a huddle was about, and who took part."""
    people = dict.fromkeys([*room.participant_history, *room.participants] or filter(None, [room.created_by]))
    return "\n".join(filter(None, (room.topic or room.name, ", ".join(f"@{names.user(one)}" for one in people))))


def _without_repetition(pieces: Sequence[str]) -> list[str]:
    """Leave out a piece whose words all occur, in order, in another one; of equal ones, the later."""
    words = {piece: f" {_words(piece)} " for piece in pieces}
    kept: list[str] = []
    for piece in sorted(words, key=lambda piece: len(words[piece]), reverse=True):
        if not any(words[piece] in words[other] for other in kept):
            kept.append(piece)
    return [piece for piece in words if piece in kept]


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _attachment(attachment: SlackAttachment, names: Names) -> str:
    bodies = [
        _words_of(attachment.text, names),
        render_blocks(attachment.blocks, names),
        render_blocks([block for shared in attachment.message_blocks for block in shared.message.blocks], names),
    ]
    headings = (attachment.pretext, attachment.author_name, attachment.author_subname)
    parts = [
        unescape(attachment.service_name),
        link(unescape(attachment.title), attachment.title_link),
        *(markdown(heading, names) for heading in headings),
        *_without_repetition(bodies),
        *(_field(field, names) for field in attachment.fields),
        *(_file(file) for file in attachment.files),
        *(unescape(action.text) for action in attachment.actions),
        unescape(attachment.footer),
    ]
    # The fallback says the same as the rest, for programs that show no attachments.
    shown = [part for part in parts if part.strip()] or [_words_of(attachment.fallback, names)]
    return "\n".join(f"> {line}" for part in shown for line in part.splitlines())


def _field(field: AttachmentField, names: Names) -> str:
    return ": ".join(text for text in (unescape(field.title), markdown(field.value, names)) if text)


def _file(file: SlackFile) -> str:
    name = file.title or file.name
    heading = f"File: {link(name, file.permalink)}" if name else ""
    texts = (file.alt_txt, file.preview or file.plain_text, file.transcription.preview.content)
    return "\n".join(part for part in (heading, *(text.strip() for text in texts)) if part)
