"""Slack's own markup to Markdown. https://docs.slack.dev/messaging/formatting-message-text"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from connectors.slack.render.dates import format_date

_CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
_ANGLE = re.compile(r"<([^<>]+)>")
_BOLD = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])")
_STRIKE = re.compile(r"(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])")


@dataclass(frozen=True, slots=True)
class Names:
    """The names behind ids. `channel` is how a channel is mentioned where not all readers may know its name. Bots
    that nobody looks up keep their ids."""

    user: Callable[[str], str]
    channel: Callable[[str], str]
    usergroup: Callable[[str], str]
    bot: Callable[[str], str] = str


def markdown(text: str, names: Names) -> str:
    """Markup as Markdown, with mentions as names. Code stays as it is."""
    parts = _CODE.split(text)
    return "".join(_code(part, names) if index % 2 else _prose(part, names) for index, part in enumerate(parts))


def link(text: str, url: str) -> str:
    """The text alone where there is no address."""
    return f"[{text}]({url})" if text and url else text


def unescape(text: str) -> str:
    """Text as it was typed. Slack escapes these three, and nothing else.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _code(text: str, names: Names) -> str:
    # Slack marks links and mentions inside code too, and shows them without the marks.
    plain = unescape(_ANGLE.sub(lambda match: _angle(match[1], names, plain=True), text))
    if plain.startswith("```"):
        return f"\n```\n{plain[3:-3].strip()}\n```\n"
    return plain


def _prose(text: str, names: Names) -> str:
    text = _ANGLE.sub(lambda match: _angle(match[1], names), text)
    text = _BOLD.sub(r"**\1**", text)
    return unescape(_STRIKE.sub(r"~~\1~~", text))


def _angle(inside: str, names: Names, *, plain: bool = False) -> str:
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        name = names.user(target[1:])
        return f"@{label if label and name == target[1:] else name}"
    if target.startswith("#"):
        return names.channel(target[1:])  # not the label: it may be a private channel's name
    if target.startswith("!"):
        return _special(target[1:], label, names)
    address = target.removeprefix("mailto:").removeprefix("tel:")
    if plain or not label or label in (target, address):
        return label or address
    return link(label, target)


def _special(target: str, label: str, names: Names) -> str:
    if target.startswith("subteam^"):
        return label or f"@{names.usergroup(target.removeprefix('subteam^'))}"
    if target.startswith("date^"):
        return label or _date(target)
    return label or f"@{target.partition('^')[0]}"


def _date(target: str) -> str:
    """Of `date^<seconds>^<format>^<link>`, where its writer has given no words for it."""
    _, seconds, template, *_ = [*target.split("^"), "", ""]
    return format_date(int(seconds), template) if seconds.isdecimal() else ""
