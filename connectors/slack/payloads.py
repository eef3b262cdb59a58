"""What answers hold where they are as documented; nothing where they are not, so that the rest is still read. Pure."""

from __future__ import annotations

from typing import Any


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def fields(value: Any) -> dict[str, Any]:
    """The fields of an object."""
    return value if isinstance(value, dict) else {}


def count(value: Any) -> int:
    """A number of things; none where it is no number."""
    try:
        return max(int(value), 0)
    except (TypeError, ValueError, OverflowError):
        return 0


def unescaped(text: Any) -> str:
    """Text as it was typed. Slack escapes these three, and nothing else.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return str(text or "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
