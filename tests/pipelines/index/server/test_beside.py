"""Batches are written beside each other, and those of one document in their order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from pipelines.errors import IndexStoreError
from pipelines.index.batches import Batch
from pipelines.index.contract import DocumentChange
from pipelines.index.server.beside import BATCHES_IN_FLIGHT, write_beside
from tests.pipelines.index.conftest import Backend, changes_of


def batch_of(*documents: str) -> Batch:
    return Batch(documents=set(documents))


def test_as_many_as_may_be_are_in_flight() -> None:
    together = threading.Barrier(BATCHES_IN_FLIGHT, timeout=10)

    def write(batch: Batch) -> None:
        together.wait()

    write_beside(write, [batch_of(str(n)) for n in range(2 * BATCHES_IN_FLIGHT)])
    assert not together.broken


def test_no_more_is_read_than_is_in_flight() -> None:
    read: list[int] = []
    ahead: list[int] = []

    def batches() -> Iterator[Batch]:
        for number in range(20):
            read.append(number)
            yield batch_of(str(number))

    def write(batch: Batch) -> None:
        ahead.append(len(read) - int(next(iter(batch.documents))))

    write_beside(write, batches())
    assert max(ahead) <= BATCHES_IN_FLIGHT + 1


def test_of_one_document_one_is_written_after_the_other() -> None:
    under_way, written = threading.Lock(), list[int]()

    def write(batch: Batch) -> None:
        assert under_way.acquire(blocking=False), "two of one document at once"
        time.sleep(0.01)
        written.append(len(batch.documents))
        under_way.release()

    batches = [batch_of("a"), batch_of("a", "b"), batch_of("b", "c", "d"), batch_of("d", "e", "f", "g")]
    write_beside(write, batches)
    assert written == [1, 2, 3, 4]


def test_a_batch_that_fails_ends_it() -> None:
    written: list[str] = []

    def write(batch: Batch) -> None:
        (name,) = batch.documents
        if name == "2":
            raise IndexStoreError("full")
        written.append(name)

    with pytest.raises(IndexStoreError, match="full"):
        write_beside(write, [batch_of(str(n)) for n in range(50)])
    assert len(written) < 10


@pytest.mark.parametrize("backend", ["rest", "server"], indirect=True)
def test_what_is_written_beside_is_all_there(backend: Backend) -> None:
    texts = {f"d{n}": "water" for n in range(1_500)}
    with closing(backend.store()) as store:
        store.apply(changes_of(texts))
        assert {payload["document_id"] for _, payload in store.scan()} == texts.keys()
        stale = (DocumentChange(change.document_id, stale=[change.points[0].id]) for change in changes_of(texts))
        store.apply(stale)
        assert dict(store.scan()) == {}
