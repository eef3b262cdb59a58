"""Questions that are embedded together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.embedding.base import Embedder, Purpose
from pipelines.evaluation.embedding import PreembeddedQueries
from tests.emulators.fake_embedder import FakeEmbedder

QUERIES = [f"question {number}" for number in range(150)]


def vectors(embedder: Embedder, texts: Sequence[str], purpose: Purpose = "query") -> NDArray[np.float32]:
    return np.concatenate([batch.vectors for batch in embedder.embed(texts, purpose=purpose)])


def test_many_questions_take_few_requests_and_the_same_vectors() -> None:
    fake = FakeEmbedder()
    together = PreembeddedQueries(fake, [*QUERIES, QUERIES[0]])
    assert fake.requests == 2
    for query in (QUERIES[0], QUERIES[149]):
        np.testing.assert_array_equal(vectors(together, [query]), vectors(FakeEmbedder(), [query]))
    assert fake.requests == 2


def test_what_is_not_known_is_asked_for() -> None:
    fake = FakeEmbedder()
    together = PreembeddedQueries(fake, QUERIES[:1])
    np.testing.assert_array_equal(vectors(together, ["another"]), vectors(FakeEmbedder(), ["another"]))
    np.testing.assert_array_equal(vectors(together, QUERIES[:2]), vectors(FakeEmbedder(), QUERIES[:2]))
    assert len(vectors(together, QUERIES[:1], purpose="document")) == 1
    assert fake.embedded[QUERIES[0]] == 1, "a document is not embedded as a query is"
