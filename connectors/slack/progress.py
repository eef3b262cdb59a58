"""How far a channel has been read, and what its latest messages looked like."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from copy import copy
from dataclasses import asdict, dataclass, field
from typing import Any

from connectors.model import Cursor
from connectors.slack.client import Payload, number

REMEMBERED = 200
"""How many of the latest messages are compared with what they were. A change further back (an edit, a
deletion, a late reply) is found by an event, or by a reconcile: the channel's whole history shows it."""


@dataclass(slots=True)
class Progress:
    """`seen` maps the times of the latest messages to what they looked like. `before` is set while a first
    read is under way: what is older is still to be read. `files` is when the newest file was shared that has
    been read (Unix seconds), `recent_files` what the files shared just before it looked like, and `files_before` is to
    files what `before` is to messages."""

    seen: dict[str, str] = field(default_factory=dict)
    before: str | None = None
    files: int | None = None
    recent_files: dict[str, str] = field(default_factory=dict)
    files_before: int | None = None

    @classmethod
    def of(cls, cursor: Cursor) -> Progress:
        return cls(**cursor)

    def cursor(self) -> Cursor:
        """Only what is set; copied, for reading goes on."""
        return {name: copy(value) for name, value in asdict(self).items() if value}

    def remember(self, messages: Iterable[Payload]) -> None:
        """Take these for the channel's latest messages, apart from older ones remembered before."""
        latest = {message["ts"]: fingerprint(message) for message in messages}
        known = self.seen | latest
        self.seen = {ts: known[ts] for ts in sorted(known, key=number, reverse=True)[:REMEMBERED]}

    @property
    def newest(self) -> str | None:
        return max(self.seen, key=number, default=None)


_THREAD = "t"


def fingerprint(message: Payload) -> str:
    """Changes with everything of a message that a person sees, its thread's number of replies and latest one
    included; tells a thread's root from other messages."""
    shown: dict[str, Any] = {
        key: message.get(key) or None
        for key in ("text", "blocks", "attachments", "edited", "subtype", "reply_count", "latest_reply")
    }
    shown["files"] = [file.get("id") for file in message.get("files") or () if isinstance(file, dict)]
    return (_THREAD if message.get("reply_count") else "") + digest(shown)


def was_thread(mark: str) -> bool:
    """Whether a fingerprint was made of a thread's root. Hexadecimal digits hold no `t`."""
    return mark.startswith(_THREAD)


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
