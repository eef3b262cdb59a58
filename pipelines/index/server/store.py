"""The index on a Qdrant server or cluster: a collection per version behind an alias, written in place.

https://qdrant.tech/documentation/concepts/collections/#collection-aliases
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from pipelines.errors import IndexMismatch, IndexStoreError
from pipelines.index.batches import batches
from pipelines.index.contract import (
    DocumentChange,
    Filters,
    Hit,
    IndexInfo,
    IndexReader,
    IndexSpec,
    Mode,
    Payload,
    Vector,
)
from pipelines.index.filters import Conditions, admits_nothing, conditions, of_documents
from pipelines.index.hits import by_position, one_version
from pipelines.index.server.requests import (
    alias_operations,
    collection_arguments,
    field_schemas,
    operations,
    query_arguments,
    server_filter,
)
from pipelines.index.versions import check_stored, version_name
from pipelines.settings import IndexSettings

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

STEPS_PER_REQUEST = 256
"""About 6 MB of JSON with 1,536 dimensions; a server takes 32 MB."""

DOCUMENTS_PER_QUESTION = 256
PAGE = 256
TIMEOUT = 60
"""Seconds that one request may take."""

ALIAS_SECONDS = 5.0
"""How long a reader takes the alias to point where it pointed."""


def connect(settings: IndexSettings) -> QdrantClient:
    """A client of the configured server; nothing is sent yet."""
    from qdrant_client import QdrantClient

    key = settings.api_key.get_secret_value() if settings.api_key else None
    return QdrantClient(url=settings.url, api_key=key, timeout=TIMEOUT, check_compatibility=False)


class QdrantStore:
    """Writes one version of a collection; `publish` points the alias at it.

    Writers of different documents may work side by side. Raises IndexMismatch if the version, or the live one,
    was made for another spec (`replace` allows another live one).
    """

    def __init__(
        self, client: QdrantClient, spec: IndexSpec, settings: IndexSettings, *, replace: bool = False
    ) -> None:
        self._client = client
        self._spec = spec
        self._name = version_name(spec)
        try:
            with _server_errors(self._name):
                if not replace:
                    check_live(client, spec)
                self._make(settings)
                check_stored(spec, _metadata(client, self._name), self._name)
        except IndexStoreError:
            client.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def apply(self, changes: Iterable[DocumentChange]) -> None:
        from qdrant_client.models import WriteOrdering

        for batch in batches(changes, STEPS_PER_REQUEST):
            with _server_errors(self._name):
                ids = [refresh.id for refresh in batch.refreshes]
                records = self._client.retrieve(self._name, ids, with_payload=False) if ids else []
                if wanted := operations(batch, known={str(record.id) for record in records}):
                    self._client.batch_update_points(self._name, wanted, wait=True, ordering=WriteOrdering.MEDIUM)

    def points(self, document_ids: Sequence[str]) -> Mapping[str, Payload]:
        found: dict[str, Payload] = {}
        for start in range(0, len(document_ids), DOCUMENTS_PER_QUESTION):
            asked = document_ids[start : start + DOCUMENTS_PER_QUESTION]
            found.update(_scroll(self._client, self._name, of_documents(asked)))
        return found

    def scan(self) -> Iterator[tuple[str, Payload]]:
        return _scroll(self._client, self._name, Conditions())

    def wanted(self) -> bool:
        return False  # a server takes any number of writers

    def publish(self) -> None:
        with _server_errors(self._name):
            live = live_collection(self._client, self._spec.collection)
            if live != self._name:
                self._client.update_collection_aliases(alias_operations(self._spec.collection, live, self._name))

    def preview(self) -> IndexReader:
        return _Preview(self._client, self._spec.collection, self._spec, self._name)

    def info(self) -> IndexInfo:
        return _info(self._client, self._spec.collection, self._name, self._spec.model)

    def close(self) -> None:
        self._client.close()

    def _make(self, settings: IndexSettings) -> None:
        """Make what is missing of the collection; another process may be making it too."""
        from qdrant_client.http.exceptions import UnexpectedResponse

        if not self._client.collection_exists(self._name):
            try:
                self._client.create_collection(self._name, **collection_arguments(self._spec, settings))
            except UnexpectedResponse as error:
                if error.status_code != 409:
                    raise
        indexed = self._client.get_collection(self._name).payload_schema
        for field, schema in field_schemas().items():
            if field not in indexed:
                self._client.create_payload_index(self._name, field, schema, wait=True)


class QdrantReader:
    """Reads the collection behind the alias."""

    def __init__(self, client: QdrantClient, collection: str, spec: IndexSpec | None) -> None:
        self._client = client
        self._collection = collection
        self._spec = spec
        self._live: str | None = None
        self._live_until = 0.0

    def search(self, *, mode: Mode, text: str, dense: Vector | None, filters: Filters, limit: int) -> list[Hit]:
        request = query_arguments(mode, text, dense, filters, limit)
        if (name := self._target()) is None or admits_nothing(filters):
            return []
        with _server_errors(name):
            found = self._client.query_points(name, **request).points
        return one_version([Hit(str(point.id), point.score, point.payload or {}) for point in found])

    def document(self, document_id: str, filters: Filters) -> list[Hit]:
        if (name := self._target()) is None or admits_nothing(filters):
            return []
        wanted = conditions(filters)
        wanted = Conditions((*wanted.must, *of_documents([document_id]).must), wanted.must_not)
        return by_position(one_version([Hit(id, 1.0, payload) for id, payload in _scroll(self._client, name, wanted)]))

    def info(self) -> IndexInfo:
        if (name := self._target()) is None:
            return IndexInfo(self._collection, self._spec.model if self._spec else "", 0, 0, 0)
        with _server_errors(name):
            model = str(_metadata(self._client, name).get("model", ""))
        return _info(self._client, self._collection, name, model)

    def close(self) -> None:
        self._client.close()

    def _target(self) -> str | None:
        """The collection behind the alias; asked anew after some seconds, and while there is none."""
        if self._live is None or time.monotonic() >= self._live_until:
            with _server_errors(self._collection):
                if self._spec:
                    check_live(self._client, self._spec)
                self._live = live_collection(self._client, self._collection)
            self._live_until = time.monotonic() + ALIAS_SECONDS
        return self._live


class _Preview(QdrantReader):
    """Reads one version, live or not, over a client that is another's."""

    def __init__(self, client: QdrantClient, collection: str, spec: IndexSpec, name: str) -> None:
        super().__init__(client, collection, spec)
        self._name = name

    def close(self) -> None:
        pass

    def _target(self) -> str | None:
        return self._name


def live_collection(client: QdrantClient, alias: str) -> str | None:
    """The collection that an alias points at."""
    for one in client.get_aliases().aliases:
        if one.alias_name == alias:
            return one.collection_name
    return None


def check_live(client: QdrantClient, spec: IndexSpec) -> None:
    """Raise IndexMismatch if the live version was made for another spec."""
    live = live_collection(client, spec.collection)
    if live and live != version_name(spec):
        check_stored(spec, _metadata(client, live), f"{spec.collection} ({live})")


def _metadata(client: QdrantClient, name: str) -> Mapping[str, Any]:
    stored = client.get_collection(name).config.metadata
    if stored is None:
        raise IndexMismatch(
            f"{name}: the collection does not say what it was made for; it was not made by Headrace, "
            "or the server is older than Qdrant 1.16"
        )
    return stored


def _scroll(client: QdrantClient, name: str, wanted: Conditions) -> Iterator[tuple[str, Payload]]:
    """All points that meet the conditions, a page at a time."""
    offset = None
    filter = server_filter(wanted)
    while True:
        with _server_errors(name):
            page, offset = client.scroll(name, scroll_filter=filter, limit=PAGE, offset=offset, with_payload=True)
        for record in page:
            yield str(record.id), record.payload or {}
        if offset is None:
            return


def _info(client: QdrantClient, collection: str, name: str, model: str) -> IndexInfo:
    with _server_errors(name):
        points = client.count(name, exact=True).count
        documents = len(client.facet(name, "document_id", limit=max(points, 1), exact=True).hits)
    return IndexInfo(collection, model, documents, points, 0)


@contextmanager
def _server_errors(name: str) -> Iterator[None]:
    """Say which collection failed and why; the client's own errors name no collection."""
    from qdrant_client.common.client_exceptions import QdrantException
    from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

    try:
        yield
    except UnexpectedResponse as error:
        reason = error.content.decode(errors="replace")[:300]
        raise IndexStoreError(f"{name}: the Qdrant server answered {error.status_code}: {reason}") from None
    except ResponseHandlingException as error:
        raise IndexStoreError(
            f"{name}: the Qdrant server cannot be reached ({error}); check index.url in the settings"
        ) from None
    except (ApiException, QdrantException) as error:
        raise IndexStoreError(f"{name}: {error}") from None
