"""What the store and the reader both ask of a Qdrant server, with errors that say which collection failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from pipelines.errors import IndexMismatch, IndexStoreError, IndexUnavailable
from pipelines.index.conditions import Conditions
from pipelines.index.contract import DENSE, Hit, IndexInfo, IndexSpec, Payload
from pipelines.index.dense import windows
from pipelines.index.facets import every_value
from pipelines.index.server.requests import release, server_filter, takes_idf_corpus
from pipelines.index.versions import Check, version_name
from pipelines.settings import IndexSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qdrant_client import QdrantClient, models

OLDEST_RELEASE = (1, 17)
"""Of a server: the oldest that Headrace is tried with."""
PAGE = 256
"""How many points are read at once."""
TIMEOUT = 60
"""Seconds that one request may take."""
_HTTPS = 443
_QDRANT = 6333


def connect(settings: IndexSettings) -> QdrantClient:
    """A client of the configured server; nothing is sent yet.

    https without a port is 443 (RFC 9110, 4.2.2), as of a proxy or Qdrant's cloud; the client alone would take 6333.
    """
    from qdrant_client import QdrantClient

    key = settings.api_key.get_secret_value() if settings.api_key else None
    port = _HTTPS if settings.url.startswith("https:") else _QDRANT  # where the URL names none
    return QdrantClient(url=settings.url, port=port, api_key=key, timeout=TIMEOUT, check_compatibility=False)


def read_version(client: QdrantClient) -> str:
    """The server's version. Raises IndexStoreError if the server is too old."""
    version = client.info().version
    found = release(version)
    if found and found < OLDEST_RELEASE:
        needed = ".".join(map(str, OLDEST_RELEASE))
        raise IndexStoreError(
            f"the Qdrant server is of version {version}, and Headrace needs {needed} or newer: "
            "it was never tried with an older one"
        )
    return version


def live_collection(client: QdrantClient, alias: str) -> str | None:
    """The collection that an alias points at.

    Raises IndexMismatch where a collection has that name itself: a server gives it to no alias, which would come out
    only when everything was embedded.
    """
    for one in client.get_aliases().aliases:
        if one.alias_name == alias:
            return one.collection_name
    if client.collection_exists(alias):
        raise IndexMismatch(
            f"{alias}: the Qdrant server has a collection of this name, which was not made by Headrace; "
            "give `index.collection` in the settings another name"
        )
    return None


def check_live(client: QdrantClient, spec: IndexSpec, check: Check) -> None:
    """Raise IndexMismatch if the live version is another one and does not pass a check of `versions`."""
    live = live_collection(client, spec.collection)
    if live and live != version_name(spec):
        check(spec, read_metadata(client, live), f"{spec.collection} ({live})")


def read_metadata(client: QdrantClient, name: str) -> Mapping[str, Any]:
    """What the collection was made for, as stored with it. Raises IndexMismatch where nothing is."""
    stored = client.get_collection(name).config.metadata
    if stored is None:
        raise IndexMismatch(
            f"{name}: the collection does not say what it was made for; it was not made by Headrace, "
            "or the server is older than Qdrant 1.16"
        )
    return stored


def scroll(client: QdrantClient, name: str, where: Conditions) -> Iterator[tuple[str, Payload]]:
    """All points that meet the conditions, a page at a time."""
    offset = None
    filter = server_filter(where)
    while True:
        with server_errors(name):
            page, offset = client.scroll(name, scroll_filter=filter, limit=PAGE, offset=offset, with_payload=True)
        for record in page:
            yield str(record.id), record.payload or {}
        if offset is None:
            return


def beginnings(client: QdrantClient, name: str, where: Conditions, limit: int, *, newest: bool) -> list[Hit]:
    """The points that meet the conditions, with `newest` those that were updated last first."""
    from qdrant_client import models

    order = models.OrderBy(key="updated_at", direction=models.Direction.DESC) if newest else None
    with server_errors(name):
        page, _ = client.scroll(
            name, scroll_filter=server_filter(where), limit=limit, order_by=order, with_payload=True
        )
    return [Hit(str(record.id), 1.0, record.payload or {}) for record in page]


def count_matching(client: QdrantClient, name: str, field: str, where: Conditions) -> dict[str, int]:
    """How many of the points that meet the conditions there are with each value of a field."""

    def count(limit: int) -> Sequence[models.FacetValueHit]:
        with server_errors(name):
            return client.facet(name, field, facet_filter=server_filter(where), limit=limit).hits

    values = every_value(count, count_points(client, name))
    return {str(value.value): value.count for value in values if value.count > 0}


def count_points(client: QdrantClient, name: str) -> int:
    """How many points the version `name` of a collection has."""
    with server_errors(name):
        return client.count(name, exact=True).count


def dense_vectors(client: QdrantClient, name: str, ids: Sequence[str]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Those of the points that there are."""
    for start in range(0, len(ids), PAGE):
        with server_errors(name):
            page = client.retrieve(name, list(ids[start : start + PAGE]), with_payload=False, with_vectors=[DENSE])
        for record in page:
            vectors = cast("dict[str, Any]", record.vector)
            yield str(record.id), windows(vectors[DENSE])


def read_info(client: QdrantClient, collection: str, name: str, model: str, documents: int | None = None) -> IndexInfo:
    """Counts of the version `name` of a collection; `documents` are counted where the caller does not know them."""
    points = count_points(client, name)
    if documents is None:
        documents = len(count_by(client, name, "document_id"))
    with server_errors(name):
        idf_leaks = not takes_idf_corpus(read_version(client))
    return IndexInfo(collection, model, documents, points, 0, idf_leaks)


def count_by(client: QdrantClient, name: str, field: str, *, exact: bool = False) -> dict[str, int]:
    """How many points there are with each value of a field that any still has.

    Asked to be exact, a server counts the points of each value by a query of its own, and names those that were removed
    too, with none.
    """
    limit = max(count_points(client, name), 1)
    with server_errors(name):
        values = client.facet(name, field, limit=limit, exact=exact).hits
    return {str(value.value): value.count for value in values if value.count > 0}


@contextmanager
def server_errors(name: str) -> Iterator[None]:
    """Say which collection failed and why; the client's own errors name no collection."""
    from qdrant_client.common.client_exceptions import QdrantException
    from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

    try:
        yield
    except UnexpectedResponse as error:
        reason = error.content.decode(errors="replace")[:300]
        # Also where the key is refused: that is not what was asked for.
        is_away = error.status_code is None or error.status_code >= 500 or error.status_code in (401, 403, 408, 429)
        kind = IndexUnavailable if is_away else IndexStoreError
        raise kind(f"{name}: the Qdrant server answered {error.status_code}: {reason}") from None
    except ResponseHandlingException as error:
        raise IndexUnavailable(
            f"{name}: the Qdrant server cannot be reached ({error.source}); check index.url in the settings"
        ) from None
    except QdrantException as error:  # of these there is one: too many requests
        raise IndexUnavailable(f"{name}: the Qdrant server answered 429: {error}") from None
    except ApiException as error:
        raise IndexStoreError(f"{name}: {error}") from None
