"""Drive's ids in the URLs that people copy. Pure."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

_ID = re.compile(r"[A-Za-z0-9_-]{19,}")


def ids_in_url(url: str) -> list[str]:
    """What is long enough to be a file's id: `id` in the query of old forms, and parts of the path, the last one first.

    >>> ids_in_url("https://docs.google.com/document/d/1aBcDeFgHiJkLmNoPqRsTuV/edit")
    ['1aBcDeFgHiJkLmNoPqRsTuV']
    >>> ids_in_url("https://drive.google.com/open?id=1aBcDeFgHiJkLmNoPqRsTuV&usp=drive_copy")
    ['1aBcDeFgHiJkLmNoPqRsTuV']
    """
    parts = urlsplit(url)
    named = [*parse_qs(parts.query).get("id", []), *reversed(parts.path.split("/"))]
    return [part for part in named if _ID.fullmatch(part)]
