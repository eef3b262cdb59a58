"""Documents by what people have at hand: an id, or a URL as it was copied, also by a former name of its unit."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from typing import Any, TypeAlias
from urllib.parse import SplitResult, urlsplit

from connectors.registry import Source, ids_in_url, sources, urls_of_same
from pipelines.catalog import Catalog
from pipelines.catalog.documents import Documents
from pipelines.catalog.unit_names import UnitNames

Row: TypeAlias = dict[str, Any]

_BARE = re.compile(r"(?P<host>[\w-]+(?:\.[\w-]+)+)/(?P<path>\S+)")
_FOR_GIT = re.compile(r"(?:ssh://)?git@(?P<host>[\w.-]+)[:/](?P<path>\S+)")
_SITE = re.compile(r"[\w-]+\.[\w-]+")


def resolve(catalog: Catalog, id_or_url: str) -> list[Row]:
    """The catalog's rows of a document, or of all at the closest spelling of a URL that any is at.

    An id or URL by a former name of its unit is found as well, and a URL of another form than the catalog's by the id
    in it that the source recognises. What is deleted, or in a unit that is gone, comes last, and alone only where
    nothing else is meant.
    """
    candidates = (rows for one in readings(id_or_url) for rows in _find(catalog, one, _search_all_ids))
    return _resolve(candidates, catalog.units.gone())


def readings(copied: str) -> list[str]:
    """What a text that was copied somewhere can stand for, as it stands first: a link between the signs that mails and
    chats put around one, without `https://`, with or without `www.`, or as git takes it.

    >>> readings("<acme.com/api|the API>")
    ['<acme.com/api|the API>', 'acme.com/api', 'https://acme.com/api', 'https://www.acme.com/api']
    >>> readings("git@github.com:acme/api.git")[1]
    'https://github.com/acme/api.git'
    """
    text = copied.strip()
    found = [text]
    if text.startswith("<") and text.endswith(">"):
        found.append(text[1:-1].partition("|")[0].strip())
    if bare := _FOR_GIT.fullmatch(found[-1]) or _BARE.fullmatch(found[-1]):
        found.append(f"https://{bare['host']}/{bare['path']}")
    if other := _with_other_host(found[-1]):
        found.append(other)
    return found


def _with_other_host(url: str) -> str | None:
    """With `www.` before the name of a site, or without it where it stands there."""
    parts = _url(url)
    if parts is None:
        return None
    if parts.netloc.startswith("www."):
        return parts._replace(netloc=parts.netloc.removeprefix("www.")).geturl()
    return parts._replace(netloc=f"www.{parts.netloc}").geturl() if _SITE.fullmatch(parts.netloc) else None


def resolve_ids(catalog: Catalog, names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The document ids behind each of many ids and URLs; a name behind which there is none is left out. Ids of which a
    URL has no more than the end are not found: that takes a search of all ids for each."""
    gone = catalog.units.gone()
    found = _present_ids(catalog.documents, names)
    for name in names:
        if name not in found and (rows := _resolve(_find(catalog, name, _search_nothing), gone)):
            found[name] = tuple(row["id"] for row in rows)
    return found


def present_spellings(names: UnitNames, id_or_url: str) -> Iterator[str]:
    """An id or URL in which a unit is called by a name or URL that it has or had, as the catalog may spell it now.

    What follows a unit's URL can also be what follows its id: `…/acme/api/issues/3` is `github:acme/77/issues/3`.
    """
    text = id_or_url.strip()
    account, _, path = ("", "", text) if _url(text) else text.partition("/")
    places = [place for place, character in enumerate(path) if character == "/"]
    units = names.find({path[:place].lower() for place in places})
    for place in reversed(places):  # the longest name is the closest
        for unit in units.get(path[:place].lower(), ()):
            if not account and unit.url:
                yield f"{unit.url}{path[place:]}"
            if account in ("", f"{unit.source}:{unit.connection}"):
                yield f"{unit.source}:{unit.connection}/{unit.id}{path[place:]}"


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


def _resolve(candidates: Iterable[list[Row]], gone: Set[tuple[str, str]]) -> list[Row]:
    def is_past(row: Row) -> bool:
        return row["status"] == "deleted" or (row["connection"], row["unit"]) in gone

    past: list[Row] = []
    for rows in candidates:
        if not all(map(is_past, rows)):
            return sorted(rows, key=is_past)
        past = past or rows
    return past


def _find(catalog: Catalog, id_or_url: str, search: Callable[[Documents, str], list[Row]]) -> Iterator[list[Row]]:
    """The rows at each spelling, the closest one first; `search` finds those of which no more than the end of the id is
    known."""
    documents, spelled = catalog.documents, [*spellings(id_or_url), *_others(id_or_url)]
    yield from map(documents.by_id_or_url, spelled)
    yield from (documents.by_id_or_url(own) for one in spelled for own in present_spellings(catalog.unit_names, one))
    connections = catalog.units.connections()
    for source in sources().values():
        for own in _ids(source, id_or_url):
            known = (f"{source.name}:{connection}/{own}" for connection in connections.get(source.name, ()))
            yield [row for whole in known for row in documents.by_id_or_url(whole)]
            yield _rows_of(search(documents, own), source.name)


def _search_all_ids(documents: Documents, ending: str) -> list[Row]:
    return documents.by_id_suffix(ending)


def _search_nothing(_: Documents, __: str) -> list[Row]:
    return []


def _present_ids(documents: Documents, names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The ids behind names that the catalog spells alike, looked up together: where one is of a document that is
    present, that one comes first."""
    urls = {name: spellings(name) for name in names}
    at = documents.ids_by_url({one for spelled in urls.values() for one in spelled})
    present = documents.present({*names, *(own for ids in at.values() for own in ids)})
    found: dict[str, tuple[str, ...]] = {name: (name,) for name in names if name in present}
    for name, spelled in urls.items():
        nearest = next((at[one] for one in spelled if not present.isdisjoint(at.get(one, ()))), None)
        if name not in found and nearest:
            found[name] = tuple(sorted(nearest, key=lambda own: own not in present))
    return found


def _ids(source: Source[Any], id_or_url: str) -> Sequence[str]:
    url = id_or_url.strip()
    return ids_in_url(source, url) if _url(url) else ()


def _others(id_or_url: str) -> Iterator[str]:
    """Other URLs under which sources know what is at this one."""
    url = id_or_url.strip()
    if _url(url):
        yield from (other for source in sources().values() for other in urls_of_same(source, url))


def _rows_of(rows: list[Row], source: str) -> list[Row]:
    """The rows of one source: in others, an id may end alike by chance."""
    return [row for row in rows if row["id"].startswith(f"{source}:")]


def _url(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return parts if parts.netloc else None
