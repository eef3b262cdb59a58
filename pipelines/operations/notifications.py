"""Notifications: what has come into trouble and what is over, posted once for each change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pipelines.errors import HeadraceError
from pipelines.notification_settings import NotificationSettings

_SECONDS = 10.0
_MOST_CHARACTERS = 3_000
"""Slack cuts a message at 4,000."""


class NotificationRefused(HeadraceError):
    """What receives notifications has not taken one. The message names its host alone: its URL is a secret."""

    def __init__(self, settings: NotificationSettings, reason: str) -> None:
        host = urlsplit(settings.url.get_secret_value()).hostname
        super().__init__(f"notifications.url: {host} has not taken the notification ({reason}); it is sent again")


@dataclass(frozen=True, slots=True)
class HealthChange:
    """What has come into trouble and what is over, a line by key each; `is_good` where nothing is left."""

    begun: Mapping[str, str]
    over: Mapping[str, str]
    is_good: bool

    def __bool__(self) -> bool:
        return bool(self.begun or self.over)

    @property
    def text(self) -> str:
        """A line for each."""
        lines = [f"In trouble: {line}" for line in self.begun.values()]
        lines += [f"Over: {line}" for line in self.over.values()]
        return "\n".join([*lines, "All is well."] if self.is_good else lines)[:_MOST_CHARACTERS]

    @property
    def slack_text(self) -> str:
        """The same for Slack, which would take names and errors of others for links and mentions of everybody.

        https://docs.slack.dev/messaging/formatting-message-text/#escaping
        """
        return self.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    def as_json(self) -> dict[str, Any]:
        return {
            "status": "ok" if self.is_good else "degraded",
            "begun": [{"key": key, "text": line} for key, line in self.begun.items()],
            "over": [{"key": key, "text": line} for key, line in self.over.items()],
            "text": self.text,
        }


def compare_health(before: Mapping[str, str], now: Mapping[str, str]) -> HealthChange:
    """What differs between two moments, each a line by key. Pure."""
    return HealthChange(
        begun={key: line for key, line in now.items() if key not in before},
        over={key: line for key, line in before.items() if key not in now},
        is_good=not now,
    )


def notify(settings: NotificationSettings, change: HealthChange) -> None:
    """Post a change. Raises NotificationRefused."""
    import httpx

    body = change.as_json() if settings.kind == "webhook" else {"text": change.slack_text}
    try:
        answer = httpx.post(settings.url.get_secret_value(), json=body, timeout=_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotificationRefused(settings, type(error).__name__) from None
    if not answer.is_success:
        raise NotificationRefused(settings, f"HTTP {answer.status_code}")
