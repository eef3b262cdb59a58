"""URLs of databases that are settings."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_PREFIXES = ("sqlite:///", "postgresql://", "postgresql+")
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_FORM = (
    "must be postgresql://user:password@host:port/database, in which special characters of the password are escaped: "
    "@ as %40, : as %3A, / as %2F, # as %23, ? as %3F, % as %25"
)


def check_database_url(value: str) -> None:
    """Raises ValueError, which quotes nothing of it: there may be a password in any part of what is malformed."""
    if not value.startswith(_PREFIXES):
        raise ValueError("must start with sqlite:/// or postgresql://")
    if not value.startswith("sqlite:") and not _is_plain(value):
        raise ValueError(_FORM)


def _is_plain(value: str) -> bool:
    """https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS, with one host."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return False
    user, _, _ = parts.netloc.rpartition("@")
    is_escaped = "@" not in user and user.count(":") <= 1 and not _NO_ESCAPE.search(value)
    return is_escaped and port != 0 and not parts.fragment and not re.search(r"\s", value)
