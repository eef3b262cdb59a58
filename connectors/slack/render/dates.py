"""Dates that Slack shows in each reader's own way, in one that is the same for all: ISO 8601, in UTC.

https://docs.slack.dev/messaging/formatting-message-text#date-formatting
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_TOKEN = re.compile(r"\{(\w+)\}")
_WITH_TIME = {"time": "%H:%M UTC", "time_secs": "%H:%M:%S UTC", "ago": "%Y-%m-%d %H:%M UTC"}
"""Tokens that show a time of day; all others show the day."""


def format_date(timestamp: int, template: str) -> str:
    """A moment (seconds since 1970) as `template` asks for it: `{date_short} at {time}`; in full without one."""
    try:
        moment = datetime.fromtimestamp(timestamp, UTC)
    except (OverflowError, OSError, ValueError):
        return str(timestamp)
    return _TOKEN.sub(lambda token: format(moment, _WITH_TIME.get(token[1], "%Y-%m-%d")), template or "{ago}")
