"""Drive's query language, as far as files are listed with it. Pure.

Source: https://developers.google.com/workspace/drive/api/guides/ref-search-terms
"""

from __future__ import annotations

from datetime import UTC, datetime

from connectors.drive.payloads import FOLDER

TRASHED = "trashed = true"
NOT_TRASHED = "trashed = false"
FOLDERS = f"mimeType = '{FOLDER}' and {NOT_TRASHED}"
OWN = "'me' in owners"
FILES = f"mimeType != '{FOLDER}' and {NOT_TRASHED}"


def both(*conditions: str) -> str:
    """A query of all `conditions`; empty ones are left out."""
    return " and ".join(condition for condition in conditions if condition)


def inside(folder: str) -> str:
    """Directly in a folder."""
    return f"{quote(folder)} in parents"


def created_since(moment: datetime | None) -> str:
    return f"createdTime >= {quote(rfc3339(moment))}" if moment else ""


def modified_between(since: datetime | None, until: datetime | None) -> str:
    """Empty without bounds; `until` is exclusive."""
    return both(
        f"modifiedTime >= {quote(rfc3339(since))}" if since else "",
        f"modifiedTime < {quote(rfc3339(until))}" if until else "",
    )


def rfc3339(moment: datetime) -> str:
    """A time as Drive writes it, to the millisecond, so that it can be compared with Drive's own."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def quote(text: str) -> str:
    """A string as the query language writes it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
