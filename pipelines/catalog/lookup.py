"""Documents by what people have at hand: an id, or a URL as it was copied."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from pipelines.catalog.documents import Documents


def looked_up(documents: Documents, id_or_url: str) -> list[dict[str, Any]]:
    """The catalog's rows of a document, or of all at the nearest spelling of a URL that names any; deleted last."""
    for spelling in spellings(id_or_url):
        if rows := documents.found_by(spelling):
            return sorted(rows, key=lambda row: row["status"] == "deleted")
    return []


def ids_of(documents: Documents, names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The ids that each of many ids and URLs stands for; what stands for none is left out."""
    found: dict[str, tuple[str, ...]] = {name: (name,) for name in documents.states(names)}
    urls = {name: spellings(name) for name in names if name not in found}
    at = documents.ids_at({one for spelled in urls.values() for one in spelled})
    for name, spelled in urls.items():
        if nearest := next((at[one] for one in spelled if one in at), None):
            found[name] = nearest
    return found


def spellings(id_or_url: str) -> list[str]:
    """As it stands, then a URL without its fragment, without its query, each with and without a slash at its end.

    >>> spellings("https://example.com/a#b")
    ['https://example.com/a#b', 'https://example.com/a#b/', 'https://example.com/a', 'https://example.com/a/']
    """
    wanted = id_or_url.strip()
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return [wanted]
    if not parts.netloc:
        return [wanted]
    bare = (wanted, parts._replace(fragment="").geturl(), parts._replace(fragment="", query="").geturl())
    return list(dict.fromkeys(one for url in bare for one in (url, url[:-1] if url.endswith("/") else f"{url}/")))
