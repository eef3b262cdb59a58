"""Slack's message times: seconds and microseconds since 1970 as text, `1772355600.000100`, unique in a channel.

https://docs.slack.dev/messaging/retrieving-messages
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

TS_PATTERN = r"^[0-9]{1,11}(\.[0-9]*)?$"
TICK = timedelta(microseconds=1)
"""The smallest step between two times: Slack's bounds are exclusive."""

_TS = re.compile(TS_PATTERN.removesuffix("$"))


def is_ts(text: str) -> bool:
    """Whether this is a message's time."""
    return _TS.fullmatch(text) is not None


def ts_key(ts: str) -> tuple[int, int]:
    """Seconds and microseconds, by which times are compared; a float would lose digits. Raises ValueError."""
    seconds, _, fraction = ts.partition(".")
    return int(seconds), int(fraction.ljust(6, "0")[:6] or 0)


def moment(ts: str) -> datetime:
    """The time in UTC, to the microsecond. Raises ValueError."""
    seconds, microseconds = ts_key(ts)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)


def day_of(ts: str) -> date:
    """The day (UTC) of a message's time."""
    return moment(ts).date()


def time_mark(ts: str) -> str:
    """How the time of a message stands before its text in a document."""
    return f"({moment(ts):%Y-%m-%d %H:%M}): "


def midnight(day: date) -> datetime:
    """The beginning of a day (UTC)."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def format_ts(time: datetime) -> str:
    """A time as Slack writes it."""
    return f"{int(time.timestamp())}.{time.microsecond:06d}"
