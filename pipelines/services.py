"""The services of a run (catalog, landing, embedder, index), opened when first needed and closed together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from connectors.registry import takes_documents
from connectors.settings import Connection
from pipelines.catalog import Catalog, open_catalog
from pipelines.catalog.database import STATEMENT_SECONDS
from pipelines.machine import spare_memory
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.bulk_chunking.chunker import BulkChunker
    from pipelines.chunking.isolated import ChunkerPool
    from pipelines.embedding.base import Embedder
    from pipelines.embedding.metering import QuestionMeter
    from pipelines.index.contract import IndexReader, IndexSpec, IndexStore
    from pipelines.landing import Landing
    from pipelines.pushed import DocumentIntake
    from pipelines.retrieval.reranking import Reranker
    from pipelines.scans.page_reader import PageReader


C = TypeVar("C", bound=Connection)


class Holdings(Protocol):
    """What it takes to say what there is: `Services` are some, and so is what a server has open."""

    @property
    def settings(self) -> Settings: ...

    @property
    def catalog(self) -> Catalog: ...

    @property
    def reader(self) -> IndexReader: ...


class Services:
    """Opens the catalog, landing, embedder and index of some settings. Use it as a context manager.

    An `embedder` that is handed in is used instead of the settings' and stays open. With `replace_index`, what
    is written goes to a new collection where the live one was made for another model or chunking. With
    `keep_store` the embedded index stays open between writes, until another process waits for it: see `yield_lock`.
    `reads_beside` has processes of their own answer questions to the embedded index, as many as the settings say.
    `statement_seconds` is for the catalog: how long it may take for one statement. One that `may_be_away` when it is
    opened is waited for by what asks it.
    """

    def __init__(
        self,
        settings: Settings,
        embedder: Embedder | None = None,
        *,
        replace_index: bool = False,
        keep_store: bool = False,
        reads_beside: bool = False,
        statement_seconds: float = STATEMENT_SECONDS,
        may_be_away: bool = False,
    ) -> None:
        self.settings = settings
        self._keep_store = keep_store and settings.index.embedded
        self._store: IndexStore | None = None
        self._one_writer = Lock()
        self._replace_index = replace_index
        self._reader_processes = settings.index.reader_processes if reads_beside else 0
        self._statement_seconds = statement_seconds
        self._may_be_away = may_be_away
        self._given_embedder = embedder
        self._questions: QuestionMeter | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        spare_memory()
        return self

    def __exit__(self, *_: object) -> None:
        self._close_store()
        if self._questions:
            self._questions.close()
        self._open.close()

    @cached_property
    def catalog(self) -> Catalog:
        catalog = open_catalog(self.settings, self._statement_seconds, may_be_away=self._may_be_away)
        return self._open.enter_context(catalog)

    @cached_property
    def landing(self) -> Landing:
        from pipelines.landing import Landing

        return Landing(self.settings)

    @cached_property
    def intake(self) -> DocumentIntake:
        """What takes documents that are pushed."""
        from pipelines.landing.pushed_bodies import PushedBodies
        from pipelines.pushed import DocumentIntake

        return DocumentIntake(self.catalog, PushedBodies(self.landing.files))

    def with_store(self, connection: C) -> C:
        """A connection as its connector is opened: with what was pushed to it, where its source takes documents."""
        if not takes_documents(connection):
            return connection
        from pipelines.pushed import ConnectionStore

        intake = self.intake
        return connection.with_store(ConnectionStore(connection.id, intake.catalog.pushed_documents, intake.bodies))

    @cached_property
    def chunkers(self) -> ChunkerPool:
        from pipelines.chunking.isolated import ChunkerPool

        pool = ChunkerPool()
        self._open.callback(pool.close)
        return pool

    @cached_property
    def bulk_chunker(self) -> BulkChunker:
        """What chunks the small texts of many documents, beside this process."""
        from pipelines.bulk_chunking.chunker import BulkChunker

        chunker = BulkChunker()
        self._open.callback(chunker.close)
        return chunker

    def end_bulk_chunking(self) -> None:
        """Let what chunks beside this process go, with its memory, until it is needed again."""
        if "bulk_chunker" in self.__dict__:
            self.bulk_chunker.close()

    @cached_property
    def page_reader(self) -> PageReader | None:
        """What reads pages that are pictures; None where the settings name no API for it."""
        if self.settings.partition is None:
            return None
        from pipelines.scans.page_reader import PageReader
        from pipelines.scans.unstructured import UnstructuredApi

        api = UnstructuredApi(self.settings.partition)
        self._open.callback(api.close)
        return PageReader(api, self.chunkers, self.landing)

    @cached_property
    def embedder(self) -> Embedder:
        if self._given_embedder is not None:
            return self._given_embedder
        from pipelines.embedding import open_embedder
        from pipelines.embedding.accounting import AccountedEmbedder
        from pipelines.embedding.metering import QuestionMeter

        self._questions = QuestionMeter(lambda: self.catalog.spending, self.settings.embedding.price)
        embedder = AccountedEmbedder(open_embedder(self.settings.embedding), self._questions)
        self._open.callback(embedder.close)
        return embedder

    @cached_property
    def reranker(self) -> Reranker | None:
        """The reranker of the settings; None where there is none."""
        if self.settings.reranker is None:
            return None
        from pipelines.retrieval.reranking import Reranker

        reranker = Reranker(self.settings.reranker)
        self._open.callback(reranker.close)
        return reranker

    def warm(self) -> None:
        """Load a local model before it is needed; no request is sent to a provider."""
        if self.settings.embedding.provider == "local":
            for _ in self.embedder.embed(["warm"], purpose="query"):
                pass

    @cached_property
    def reader(self) -> IndexReader:
        """What was published, without what the catalog knows to be taken away."""
        return self.permitted(self.published)

    @cached_property
    def published(self) -> IndexReader:
        """All that was published: to explain by, never to answer from."""
        from pipelines.index import open_reader

        reader = open_reader(self.settings, self.index_spec, processes=self._reader_processes)
        self._open.callback(reader.close)
        return reader

    def permitted(self, index: IndexReader) -> IndexReader:
        """The same index without what the catalog knows to be taken away."""
        from pipelines.retrieval.permitted_index import PermittedIndex

        return PermittedIndex(index, self.catalog.revocations, self.settings.connections)

    @cached_property
    def index_spec(self) -> IndexSpec:
        from pipelines.chunking import CHUNKING
        from pipelines.index.contract import IndexSpec

        return IndexSpec(
            collection=self.settings.index.collection,
            model=self.embedder.model,
            dimensions=self.embedder.dimensions,
            chunking=CHUNKING,
            window_tokens=self.embedder.window_tokens,
        )

    @contextmanager
    def store(self) -> Iterator[IndexStore]:
        """The index's one writer, held no longer than needed. Raises IndexBusy and IndexMismatch."""
        from pipelines.index import open_store

        # One thread at a time: another would wait for the lock of the store that this one keeps.
        with self._one_writer, ExitStack() as closing:
            self.yield_lock()  # a kept store would otherwise keep the process waiting that asked for it
            store = self._store or open_store(self.settings, self.index_spec, replace=self._replace_index)
            self._store = None
            closing.callback(store.close)
            yield store
            if self._keep_store:
                self._store = store
                closing.pop_all()

    def yield_lock(self) -> None:
        """Close a kept store that another process waits for."""
        if self._store and self._store.is_contended():
            self._close_store()

    def _close_store(self) -> None:
        store, self._store = self._store, None
        if store:
            store.close()
