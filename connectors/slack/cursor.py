"""How far a channel has been read, and what its messages looked like."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.contract import Cursor
from connectors.slack.client import Payload, number
from connectors.slack.payloads import dicts

REMEMBERED = 200
"""How many of the latest messages are compared one by one; older ones by day."""


@dataclass(slots=True)
class Progress:
    """`seen` maps the times of the latest messages to what they looked like, and `days` every day with messages to
    what all its messages together looked like: some 30 bytes for each day of the channel's life.

    `before` is set while a reading is under way that goes back to `down_to`, or to the channel's beginning: what is
    older is still to be read. `swept` is the day down to which old days have been compared.
    """

    seen: dict[str, str] = field(default_factory=dict)
    days: dict[str, str] = field(default_factory=dict)
    before: str | None = None
    down_to: str | None = None
    swept: str | None = None

    @classmethod
    def of(cls, cursor: Cursor) -> Progress:
        return cls(
            seen=dict(cursor.get("seen") or {}),
            days=dict(cursor.get("days") or {}),
            before=cursor.get("before"),
            down_to=cursor.get("down_to"),
            swept=cursor.get("swept"),
        )

    def cursor(self) -> Cursor:
        places = {"before": self.before, "down_to": self.down_to, "swept": self.swept}
        known = {"seen": dict(self.seen), "days": dict(self.days)}
        return known | {name: place for name, place in places.items() if place is not None}

    def remember(self, messages: Iterable[Payload]) -> None:
        """Take these for the channel's latest messages, apart from others remembered before."""
        known = self.seen | {message["ts"]: looks(message) for message in messages}
        self.seen = {ts: known[ts] for ts in sorted(known, key=number, reverse=True)[:REMEMBERED]}

    @property
    def newest(self) -> str | None:
        return max(self.seen, key=number, default=None)

    @property
    def oldest(self) -> str | None:
        return min(self.seen, key=number, default=None)


_THREAD = "t"
_SHOWN = ("text", "blocks", "attachments", "edited", "subtype", "reply_count", "latest_reply")


def fingerprint(message: Payload) -> str:
    """Changes with everything of a message that a person sees, its thread's number of replies and latest one
    included; tells a thread's root from other messages."""
    shown: dict[str, Any] = {key: message.get(key) or None for key in _SHOWN}
    shown["files"] = [[file.get("id"), file.get("mode"), file.get("title")] for file in dicts(message.get("files"))]
    return (_THREAD if message.get("reply_count") else "") + digest(shown)


def looks(message: Payload) -> str:
    """What is remembered of a message: its fingerprint; then of a thread's root the latest reply, and of a reply
    that is shown in the channel its thread."""
    thread = message.get("thread_ts")
    other = message.get("latest_reply") if message.get("reply_count") else (thread if thread != message["ts"] else "")
    return f"{fingerprint(message)}@{other or ''}"


def was_thread(remembered: str) -> bool:
    """Whether this was remembered of a thread's root. Hexadecimal digits hold no `t`."""
    return remembered.startswith(_THREAD)


def other_message(remembered: str) -> str:
    """The latest reply of a root that is remembered, or the thread of a reply; empty for any other message."""
    return remembered.partition("@")[2]


def day_digest(messages: Sequence[Payload]) -> str:
    """Of all messages of a day, threads' roots and what was said to the channel from threads included."""
    return digest([[one["ts"], fingerprint(one)] for one in sorted(messages, key=lambda one: number(one["ts"]))])


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
