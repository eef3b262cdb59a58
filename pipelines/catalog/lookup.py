"""Documents by what people have at hand: an id, or a URL as it was copied."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import chain
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pipelines.catalog.documents import Documents


def looked_up(documents: Documents, id_or_url: str) -> list[dict[str, Any]]:
    """The catalog's rows of a document, or of all at the nearest spelling of a URL that names any; deleted last.

    A URL of another form than the catalog's is known by the provider's id in it.
    """
    found = chain(
        map(documents.found_by, spellings(id_or_url)),
        (_opaque(documents.called(name)) for name in provider_ids(id_or_url)),
    )
    return sorted(next(filter(None, found), []), key=lambda row: row["status"] == "deleted")


def ids_of(documents: Documents, names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The ids that each of many ids and URLs stands for; what stands for none is left out."""
    found: dict[str, tuple[str, ...]] = {name: (name,) for name in documents.states(names)}
    urls = {name: spellings(name) for name in names if name not in found}
    at = documents.ids_at({one for spelled in urls.values() for one in spelled})
    for name, spelled in urls.items():
        nearest = next((at[one] for one in spelled if one in at), None)
        if ids := nearest or tuple(row["id"] for row in looked_up(documents, name)):
            found[name] = ids
    return found


def spellings(id_or_url: str) -> list[str]:
    """As it stands, then a URL without its fragment, without its query, each with and without a slash at its end.

    >>> spellings("https://example.com/a#b")
    ['https://example.com/a#b', 'https://example.com/a#b/', 'https://example.com/a', 'https://example.com/a/']
    """
    wanted = id_or_url.strip()
    parts = _url(wanted)
    if parts is None:
        return [wanted]
    bare = (wanted, parts._replace(fragment="").geturl(), parts._replace(fragment="", query="").geturl())
    return list(dict.fromkeys(one for url in bare for one in (url, url[:-1] if url.endswith("/") else f"{url}/")))


def provider_ids(url: str) -> list[str]:
    """Names in a URL that are long enough to be a provider's own id: a Drive file's, or a Notion page's as a UUID.

    >>> provider_ids("https://www.notion.so/acme/Plan-0f1e2d3c4b5a69788796a5b4c3d2e1f0?pvs=4")
    ['0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0']
    """
    parts = _url(url.strip())
    segments = parts.path.split("/") if parts else []
    return [_dashed(one) or one for one in reversed(segments) if _dashed(one) or _DRIVE_ID.fullmatch(one)]


def _opaque(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of sources whose ids mean one object anywhere; a path's last part elsewhere may be that of many."""
    return [row for row in rows if row["id"].startswith(("drive:", "notion:"))]


_DRIVE_ID = re.compile(r"[A-Za-z0-9_-]{19,}")
_NOTION_ID = re.compile(r"(?:.*-)?([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})")


def _dashed(segment: str) -> str | None:
    found = _NOTION_ID.fullmatch(segment)
    return "-".join(found.groups()) if found else None


def _url(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return parts if parts.netloc else None
