"""The server index's writer: a collection per version behind an alias, written in place.

https://qdrant.tech/documentation/concepts/collections/#collection-aliases
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Self

from pipelines.errors import IndexStoreError
from pipelines.index.batches import Batch, batches
from pipelines.index.conditions import EVERY_POINT, Conditions
from pipelines.index.contract import DocumentChange, IndexInfo, IndexReader, IndexSpec, Payload
from pipelines.index.filters import document_conditions
from pipelines.index.server.beside import write_beside
from pipelines.index.server.connection import (
    check_live,
    count_by,
    dense_vectors,
    live_collection,
    read_info,
    read_metadata,
    read_version,
    scroll,
    server_errors,
)
from pipelines.index.server.former_versions import keep, mark_replaced, remove_replaced
from pipelines.index.server.layout import changed_arguments, collection_arguments, missing_indexes
from pipelines.index.server.reader import QdrantPreview
from pipelines.index.server.requests import alias_operations, operations, required_filter
from pipelines.index.server.retries import SYNC_SECONDS, retry_requests
from pipelines.index.versions import check_stored, version_name
from pipelines.settings import IndexSettings
from pipelines.tracing import in_this_span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qdrant_client import QdrantClient

log = logging.getLogger(__name__)

STEPS_PER_REQUEST = 256
"""About 6 MB of JSON with 1,536 dimensions; a server takes 32 MB."""

DOCUMENTS_PER_QUERY = 256


class QdrantStore:
    """Writes one version of a collection; `publish` points the alias at it.

    Writers of different documents may work side by side. Raises IndexMismatch if the version, or the live one,
    was made for another spec (`replace` allows another live one), and IndexStoreError if the server is too old.
    """

    def __init__(
        self, client: QdrantClient, spec: IndexSpec, settings: IndexSettings, *, replace: bool = False
    ) -> None:
        self._client = client
        self._spec = spec
        self._name = version_name(spec)
        retry_requests(client, SYNC_SECONDS)
        try:
            with server_errors(self._name):
                read_version(client)
                if not replace:
                    check_live(client, spec, check_stored)
                self._create_missing(settings)
                metadata = read_metadata(client, self._name)
                check_stored(spec, metadata, self._name)
                self._change(settings)
                keep(client, self._name, metadata)
        except IndexStoreError:
            client.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def apply(self, changes: Iterable[DocumentChange]) -> None:
        write_beside(in_this_span(self._write), batches(changes, STEPS_PER_REQUEST))

    def set_readers(self, where: Conditions, source: str, readers: Sequence[str]) -> None:
        from qdrant_client.models import WriteOrdering

        points, payload = required_filter(where), {"readers": list(readers)}
        with server_errors(self._name):
            self._client.set_payload(self._name, payload, points, wait=True, ordering=WriteOrdering.MEDIUM)

    def remove(self, where: Conditions) -> None:
        from qdrant_client.models import FilterSelector, WriteOrdering

        selector = FilterSelector(filter=required_filter(where))
        with server_errors(self._name):
            self._client.delete(self._name, selector, wait=True, ordering=WriteOrdering.MEDIUM)

    def expect(self, points: int) -> None:
        """The server lays out what it has by itself."""

    def erase_removed(self) -> None:
        """Nothing makes a server do it: it optimizes its segments by itself."""

    def points(self, document_ids: Sequence[str]) -> Mapping[str, Payload]:
        self._catch_up()
        found: dict[str, Payload] = {}
        for start in range(0, len(document_ids), DOCUMENTS_PER_QUERY):
            part = document_ids[start : start + DOCUMENTS_PER_QUERY]
            found.update(scroll(self._client, self._name, document_conditions(part)))
        return found

    def vectors(self, point_ids: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        return dict(dense_vectors(self._client, self._name, point_ids))

    def scan(self, where: Conditions = EVERY_POINT) -> Iterator[tuple[str, Payload]]:
        self._catch_up()
        return scroll(self._client, self._name, where)

    def count_by_unit(self) -> Mapping[str, int]:
        self._catch_up()
        return count_by(self._client, self._name, "unit", exact=True)

    def is_contended(self) -> bool:
        return False  # a server takes any number of writers

    def publish(self) -> None:
        with server_errors(self._name):
            live = live_collection(self._client, self._spec.collection)
            if live and live != self._name:
                mark_replaced(self._client, live)
            if live != self._name:
                self._client.update_collection_aliases(alias_operations(self._spec.collection, live, self._name))
        self._remove_replaced()

    def preview(self) -> IndexReader:
        return QdrantPreview(self._client, self._spec.collection, self._spec, self._name)

    def info(self, documents: int | None = None) -> IndexInfo:
        return read_info(self._client, self._spec.collection, self._name, self._spec.model, documents)

    def close(self) -> None:
        self._client.close()

    def _write(self, batch: Batch) -> None:
        from qdrant_client.models import WriteOrdering

        with server_errors(self._name):
            ids = [update.id for update in batch.updates]
            records = self._client.retrieve(self._name, ids, with_payload=False) if ids else []
            if steps := operations(batch, known={str(record.id) for record in records}):
                self._client.batch_update_points(self._name, steps, wait=True, ordering=WriteOrdering.MEDIUM)

    def _catch_up(self) -> None:
        """Have all that was acknowledged be there before it is read and decided on.

        A server that was killed is ready before it has done again what it had not flushed: for a second or so it
        shows points as they were some seconds before. What is written waits for its turn behind that.
        """
        self.remove(document_conditions([""]))  # which no document is

    def _remove_replaced(self) -> None:
        """What cannot be removed costs space, and keeps nothing from being published."""
        try:
            with server_errors(self._spec.collection):
                remove_replaced(self._client, self._spec.collection)
        except IndexStoreError as error:
            log.warning("a version that was replaced is not removed: %s", error)

    def _create_missing(self, settings: IndexSettings) -> None:
        """Create the collection where it is missing; another process may be doing the same."""
        from qdrant_client.http.exceptions import UnexpectedResponse

        if not self._client.collection_exists(self._name):
            try:
                self._client.create_collection(self._name, **collection_arguments(self._spec, settings))
            except UnexpectedResponse as error:
                if error.status_code != 409:  # made by another process in between
                    raise

    def _change(self, settings: IndexSettings) -> None:
        """Bring the collection to what the settings, and this release, say by now."""
        info = self._client.get_collection(self._name)
        if changed := changed_arguments(self._name, info, self._spec, settings):
            self._client.update_collection(self._name, **changed)
            log.info("%s: changed as the settings say: %s", self._name, ", ".join(sorted(changed)))
        for field, schema in missing_indexes(info).items():
            self._client.create_payload_index(self._name, field, schema, wait=True)
