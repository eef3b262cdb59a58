"""How far a channel has been read, and what its latest messages looked like."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from connectors.model import Cursor
from connectors.slack.client import Payload, number

REMEMBERED = 200
"""How many of the latest messages are compared with what they were. A change further back (an edit, a
deletion, a late reply) is found by a full read."""


@dataclass(slots=True)
class Progress:
    """`seen` maps the times of the latest messages to what they looked like. `before` is set while a first
    read is under way: what is older is still to be read."""

    seen: dict[str, str] = field(default_factory=dict)
    before: str | None = None

    @classmethod
    def of(cls, cursor: Cursor) -> Progress:
        return cls(dict(cursor.get("seen") or {}), cursor.get("before"))

    def cursor(self) -> Cursor:
        return {"seen": self.seen} | ({"before": self.before} if self.before else {})

    def remember(self, messages: Iterable[Payload]) -> None:
        """Take these for the channel's latest messages, apart from older ones remembered before."""
        latest = {message["ts"]: fingerprint(message) for message in messages}
        known = self.seen | latest
        self.seen = {ts: known[ts] for ts in sorted(known, key=number, reverse=True)[:REMEMBERED]}

    @property
    def newest(self) -> str | None:
        return max(self.seen, key=number, default=None)


def fingerprint(message: Payload) -> str:
    """Changes with everything of a message that a person sees, its thread's latest reply included."""
    shown = {
        key: message.get(key)
        for key in ("text", "blocks", "attachments", "files", "edited", "subtype", "reply_count", "latest_reply")
    }
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:12]
