"""Documents by what people have at hand: an id, or a URL as it was copied."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any
from urllib.parse import SplitResult, urlsplit

from connectors.registry import Source, ids_in_url, sources
from pipelines.catalog.documents import Documents


def resolve(documents: Documents, id_or_url: str) -> list[dict[str, Any]]:
    """The catalog's rows of a document, or of all at the closest spelling of a URL that any is at; deleted last.

    A URL of another form than the catalog's is found by the id in it that the source recognises.
    """
    found = chain(
        map(documents.by_id_or_url, spellings(id_or_url)),
        (_rows_of(documents.by_id_suffix(own), one.name) for one in sources().values() for own in _ids(one, id_or_url)),
    )
    return sorted(next(filter(None, found), []), key=lambda row: row["status"] == "deleted")


def resolve_ids(documents: Documents, names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The document ids behind each of many ids and URLs; a name behind which there is none is left out."""
    found: dict[str, tuple[str, ...]] = {name: (name,) for name in documents.states(names)}
    urls = {name: spellings(name) for name in names if name not in found}
    at = documents.ids_by_url({one for spelled in urls.values() for one in spelled})
    for name, spelled in urls.items():
        nearest = next((at[one] for one in spelled if one in at), None)
        if ids := nearest or tuple(row["id"] for row in resolve(documents, name)):
            found[name] = ids
    return found


def spellings(id_or_url: str) -> list[str]:
    """The text itself, then a URL without its fragment, without its query, each with and without a final slash.

    >>> spellings("https://example.com/a#b")
    ['https://example.com/a#b', 'https://example.com/a#b/', 'https://example.com/a', 'https://example.com/a/']
    """
    text = id_or_url.strip()
    parts = _url(text)
    if parts is None:
        return [text]
    bare = (text, parts._replace(fragment="").geturl(), parts._replace(fragment="", query="").geturl())
    return list(dict.fromkeys(one for url in bare for one in (url, url[:-1] if url.endswith("/") else f"{url}/")))


def _ids(source: Source[Any], id_or_url: str) -> Sequence[str]:
    url = id_or_url.strip()
    return ids_in_url(source, url) if _url(url) else ()


def _rows_of(rows: list[dict[str, Any]], source: str) -> list[dict[str, Any]]:
    """The rows of one source: in others, an id may end alike by chance."""
    return [row for row in rows if row["id"].startswith(f"{source}:")]


def _url(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return parts if parts.netloc else None
