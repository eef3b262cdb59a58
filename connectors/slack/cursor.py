"""How far a channel has been read, what its messages looked like, and what differs from that. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from connectors.contract import Cursor
from connectors.fingerprints import fingerprint
from connectors.slack.client import HistoryPage
from connectors.slack.payloads import SlackMessage, is_root_fingerprint
from connectors.slack.timestamps import day_of, moment, ts_key

REMEMBERED = 200
"""How many of the latest messages are compared one by one; older ones by day."""


@dataclass(slots=True)
class ChannelCursor:
    """`seen` maps the times of the latest messages to their states (`message_state`), and `days` every day with
    messages to the fingerprint of all its messages: some 30 bytes for each day of the channel's life.

    `before` is set while a read is under way that goes back to `down_to`, or to the channel's beginning: what is
    older is still to be read. `swept` is the day down to which old days have been compared. `closed` maps parts that
    were refused or failed to an object that shows it: what they had to tell is still to be read. `unanswered` are as
    `closed`, of parts of which only those objects are still to be read that the ledger knows.
    """

    seen: dict[str, str] = field(default_factory=dict)
    days: dict[str, str] = field(default_factory=dict)
    before: str | None = None
    down_to: str | None = None
    swept: str | None = None
    closed: dict[str, str] = field(default_factory=dict)
    unanswered: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, cursor: Cursor) -> ChannelCursor:
        return cls(
            seen=dict(cursor.get("seen") or {}),
            days=dict(cursor.get("days") or {}),
            before=cursor.get("before"),
            down_to=cursor.get("down_to"),
            swept=cursor.get("swept"),
            closed=dict(cursor.get("closed") or {}),
            unanswered=dict(cursor.get("unanswered") or {}),
        )

    def to_json(self) -> Cursor:
        places = {"before": self.before, "down_to": self.down_to, "swept": self.swept}
        known = {"seen": dict(self.seen), "days": dict(self.days)}
        parts = {"closed": self.closed, "unanswered": self.unanswered}
        known |= {name: dict(found) for name, found in parts.items() if found}
        return known | {name: place for name, place in places.items() if place is not None}

    @property
    def newest(self) -> str | None:
        return max(self.seen, key=ts_key, default=None)

    @property
    def is_at_end(self) -> bool:
        """Whether nothing is left to be read of what was there."""
        return not (self.before or self.down_to or self.closed or self.unanswered)

    @property
    def last_word(self) -> datetime:
        """When anything was said, in a thread or beside it, as far as is remembered; the year 1970 for never."""
        said = {*self.seen, *map(related_ts, self.seen.values())} - {""}
        return max(map(moment, said), default=datetime.fromtimestamp(0, UTC))

    @property
    def oldest_compared(self) -> str | None:
        """The time before which messages are compared by day only; None where all of the channel are remembered."""
        return min(self.seen, key=ts_key) if len(self.seen) >= REMEMBERED else None

    def remember(self, messages: Iterable[SlackMessage]) -> None:
        """Take these for the channel's latest messages, apart from others remembered before."""
        known = self.seen | {message.ts: message_state(message) for message in messages}
        self.seen = {ts: known[ts] for ts in sorted(known, key=ts_key, reverse=True)[:REMEMBERED]}

    def forget(self, times: Iterable[str]) -> None:
        """Messages that are gone."""
        for ts in times:
            self.seen.pop(ts, None)

    def days_between(self, after: date | None, before: date) -> set[date]:
        """The days on which messages were known, strictly between two days, or from the channel's beginning."""
        known = map(date.fromisoformat, self.days)
        return {day for day in known if (after is None or day > after) and day < before}

    def sweep_start(self, oldest: str) -> date:
        """The day before which old days are compared next: on from those of the last read, or from those that the
        page of the latest messages, back to `oldest`, does not show in full."""
        partly_shown = day_of(oldest) + timedelta(days=1)
        return min(partly_shown, date.fromisoformat(self.swept)) if self.swept else partly_shown


def message_state(message: SlackMessage) -> str:
    """What is remembered of a message: its fingerprint; then of a thread's root the latest reply, and of a reply
    that is shown in the channel its thread."""
    if message.reply_count:
        return f"{message.fingerprint}@{message.latest_reply}"
    return f"{message.fingerprint}@{message.thread_ts if message.is_reply else ''}"


def was_root(state: str) -> bool:
    """Whether this was remembered of a thread's root."""
    return is_root_fingerprint(state)


def related_ts(state: str) -> str:
    """The latest reply of a root that is remembered, or the thread of a reply; empty for any other message."""
    return state.partition("@")[2]


def day_fingerprint(messages: Sequence[SlackMessage]) -> str:
    """Of all messages of a day, threads' roots and what was said to the channel from threads included."""
    return fingerprint([[one.ts, one.fingerprint] for one in sorted(messages, key=lambda one: ts_key(one.ts))])


@dataclass(frozen=True, slots=True)
class LatestChanges:
    """What differs between the messages that are remembered and the page of the latest ones.

    `gone` are the times of messages that the page would show and does not; `changed` are new messages and those that
    look otherwise, as they are now. `days` are the days of both, and `threads` the threads to read again, each with
    the latest reply that is known of it (empty where none is).
    """

    gone: frozenset[str]
    changed: tuple[SlackMessage, ...]
    days: tuple[date, ...]
    threads: dict[str, str]


def compare_latest(cursor: ChannelCursor, page: HistoryPage) -> LatestChanges:
    """What differs on the page of the latest messages, as far back as single messages are remembered."""
    shown, back_to = {message.ts: message for message in page.messages}, cursor.oldest_compared
    gone = frozenset(ts for ts in cursor.seen if ts not in shown and _is_after(ts, page.oldest))
    changed = tuple(
        message
        for message in page.messages
        if not _is_before(message.ts, back_to) and cursor.seen.get(message.ts) != message_state(message)
    )
    touched = sorted(gone | {message.ts for message in changed}, key=ts_key)
    days = tuple(dict.fromkeys(day_of(ts) for ts in touched))
    return LatestChanges(gone, changed, days, _threads_to_read(touched, shown, cursor.seen))


def whole_day(page: HistoryPage, day: date) -> list[SlackMessage] | None:
    """The messages of a day, if the page shows all of them; its last day may go on on the next page."""
    if page.oldest is not None and day <= day_of(page.oldest):
        return None
    return [message for message in page.messages if day_of(message.ts) == day]


def _threads_to_read(touched: Iterable[str], shown: dict[str, SlackMessage], seen: dict[str, str]) -> dict[str, str]:
    """The threads that touched messages belong to, each with the latest reply that is known of it."""
    threads: dict[str, str] = {}
    for ts in touched:
        message, state = shown.get(ts), seen.get(ts, "")
        if message and message.is_reply:
            threads.setdefault(message.thread_ts, "")
        elif was_root(state):
            threads[ts] = related_ts(state)
        elif message and message.is_root:
            threads[ts] = ""
        elif message is None and related_ts(state):  # a reply that was shown in the channel, and is gone
            threads.setdefault(related_ts(state), "")
    return threads


@dataclass(frozen=True, slots=True)
class OldDays:
    """A stretch of old days with all their messages, newest first. `cut` is the day at which the page of them broke
    off, and which it shows in part only; None where the page goes back to the channel's beginning."""

    days: dict[date, list[SlackMessage]]
    cut: date | None

    @property
    def next_start(self) -> str | None:
        """The day before which to go on; None at the channel's beginning, from where it goes round again."""
        if self.cut is None:
            return None
        # A day that fills a page by itself is passed over.
        return str(self.cut + timedelta(days=1) if self.days else self.cut)


def old_days(page: HistoryPage) -> OldDays:
    """The days that a page of old messages shows in full."""
    days: dict[date, list[SlackMessage]] = {}
    for message in page.messages:
        days.setdefault(day_of(message.ts), []).append(message)
    cut = days.popitem()[0] if page.more and days else None
    return OldDays(days, cut)


def _is_after(ts: str, bound: str | None) -> bool:
    return bound is None or ts_key(ts) > ts_key(bound)


def _is_before(ts: str, bound: str | None) -> bool:
    return bound is not None and ts_key(ts) < ts_key(bound)
