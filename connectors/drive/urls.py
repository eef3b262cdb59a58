"""Drive's ids in the URLs that people copy. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_ID = re.compile(r"[A-Za-z0-9_-]{19,}")


def ids_in_url(url: str) -> list[str]:
    """Parts of a path that are long enough to be a file's id, the last one first.

    >>> ids_in_url("https://docs.google.com/document/d/1aBcDeFgHiJkLmNoPqRsTuV/edit")
    ['1aBcDeFgHiJkLmNoPqRsTuV']
    """
    return [part for part in reversed(urlsplit(url).path.split("/")) if _ID.fullmatch(part)]
