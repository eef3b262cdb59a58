"""An index of chunks that are cut to a given size, with vectors of the local model."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from connectors.model import Document
from pipelines.chunking import Chunk, chunk_document
from pipelines.chunking.windows import embedded_texts
from pipelines.index import open_reader, open_store
from pipelines.index.contract import DocumentChange, IndexReader, IndexSpec, Point
from pipelines.services import Services

DOCUMENTS_PER_STEP = 512


@contextmanager
def indexed(services: Services, name: str, documents: Sequence[Document], tokens: int) -> Iterator[IndexReader]:
    """An index of its own with these documents in chunks of that size."""
    embedder = services.embedder
    spec = IndexSpec(name, embedder.model, embedder.dimensions, f"bench-{tokens}", window_tokens=embedder.window_tokens)
    settings = services.settings.model_copy(
        update={"index": services.settings.index.model_copy(update={"collection": name})}
    )
    with closing(open_store(settings, spec)) as store:
        started = time.perf_counter()
        for start in range(0, len(documents), DOCUMENTS_PER_STEP):
            some = documents[start : start + DOCUMENTS_PER_STEP]
            store.apply(_changes(services, some, tokens))
        store.publish()
        print(f"{name}: {store.info().points} chunks indexed in {time.perf_counter() - started:.0f} s", flush=True)
    with closing(open_reader(settings, spec)) as reader:
        yield reader


def _changes(services: Services, documents: Sequence[Document], tokens: int) -> Iterator[DocumentChange]:
    chunked = [(document, chunk_document(document, tokens)) for document in documents]
    window = services.embedder.window_tokens
    texts = [text for _, chunks in chunked for chunk in chunks for text in embedded_texts(chunk, window)]
    vectors = _vectors(services, texts)
    for document, chunks in chunked:
        points = [
            Point(
                chunk.id,
                [vectors[text] for text in embedded_texts(chunk, window)] if window else vectors[chunk.embedded_text],
                chunk.embedded_text,
                _payload(document, chunk),
            )
            for chunk in chunks
        ]
        yield DocumentChange(document.id, points)


def _vectors(services: Services, texts: Sequence[str]) -> dict[str, Any]:
    """Vectors by text, from the cache of the state folder where it has them."""
    embedder, cache = services.embedder, services.catalog.embeddings
    vectors: dict[str, Any] = dict(cache.get(embedder.model, embedder.dimensions, texts))
    wanted = [text for text in dict.fromkeys(texts) if text not in vectors]
    for batch in embedder.embed(wanted, purpose="document"):
        pairs = zip(batch.positions, batch.vectors, strict=True)
        answered = {wanted[position]: vector for position, vector in pairs}
        cache.put(embedder.model, embedder.dimensions, answered)
        vectors.update(answered)
    return vectors


def _payload(document: Document, chunk: Chunk) -> dict[str, Any]:
    return {
        "document_id": document.id,
        "version": "1",
        "source": document.source,
        "connection": document.connection,
        "unit": document.unit,
        "kind": document.kind,
        "title": document.title,
        "url": document.url,
        "author": "",
        "parents": [],
        "breadcrumb": [],
        "tags": [],
        "readers": ["public"],
        "created_at": None,
        "updated_at": None,
        "position": chunk.position,
        "headings": list(chunk.headings),
        "header": chunk.header,
        "text": chunk.text,
    }
