"""A real Qdrant server, where `QDRANT_URL` names one; tests that want one are skipped elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import uuid4

import pytest
from qdrant_client import QdrantClient

from pipelines.settings import IndexSettings


@contextmanager
def real_index() -> Iterator[IndexSettings]:
    """An index of the test's own on the server; removed at the end."""
    if not (url := os.environ.get("QDRANT_URL")):
        pytest.skip("QDRANT_URL is not set")
    settings = IndexSettings(url=url, collection=f"test-{uuid4().hex}")
    try:
        yield settings
    finally:
        remove_index(settings)


def remove_index(settings: IndexSettings) -> None:
    """Remove all collections of an index."""
    with closing(QdrantClient(url=settings.url, check_compatibility=False)) as client:
        for one in client.get_collections().collections:
            if one.name.startswith(settings.collection):
                client.delete_collection(one.name)
