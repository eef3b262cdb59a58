"""What other providers of OpenAI's form do differently, each as its documentation has it."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from pipelines.embedding import Embedder
from pipelines.errors import EmbeddingRefused, EmbeddingUnavailable
from tests.emulators.embeddings import EmbeddingsServer, Fault, Reply, refusal, vector
from tests.pipelines.embedding.conftest import KEY

TEXTS = [f"text {number}" for number in range(200)]
Open = Callable[..., Embedder]


def send(embedder: Embedder, texts: list[str]) -> list[str]:
    """The texts of which the right vectors came."""
    right = []
    for batch in embedder.embed(texts, purpose="document"):
        for position, row in zip(batch.positions, batch.vectors, strict=True):
            drawn = vector(texts[position], embedder.dimensions)
            right += [texts[position]] if np.allclose(row, drawn / np.linalg.norm(drawn), atol=1e-5) else []
    return sorted(right)


def plainly(status: int, **body: object) -> Fault:
    return lambda _: Reply(status, json.dumps(body).encode(), {"content-type": "application/json"})


@pytest.mark.parametrize(
    ("most", "too_many"),
    [
        pytest.param(32, plainly(413, message="batch size 200 > maximum allowed batch size 32", code=413), id="TEI"),
        pytest.param(32, plainly(422, error="batch size 200 > maximum allowed batch size 32"), id="TEI of old"),
        pytest.param(96, plainly(400, message="invalid request: at most 96 - received 200"), id="Cohere"),
        pytest.param(128, plainly(400, detail="The batch size limit is 128."), id="Voyage"),
        pytest.param(16, refusal(400, "Too many inputs. The max number of inputs is 16."), id="Azure of old"),
    ],
)
def test_what_a_provider_takes_at_once_is_found_out_or_set(
    server: EmbeddingsServer, open_remote: Open, most: int, too_many: Fault
) -> None:
    server.most_inputs, server.too_many = most, too_many
    assert send(open_remote(), TEXTS) == sorted(TEXTS)
    requests = server.requests
    assert send(open_remote(max_inputs=most), TEXTS) == sorted(TEXTS)
    assert server.requests - requests == -(-len(TEXTS) // most)


def test_hugging_face_says_424_where_the_model_fails_for_a_text(server: EmbeddingsServer, open_remote: Open) -> None:
    server.poison["cursed"] = plainly(424, message="Inference failed", code=424, error_type="backend")
    assert send(open_remote(), ["a", "cursed", "b"]) == ["a", "b"]
    server.poison[""] = server.poison["cursed"]
    with pytest.raises(EmbeddingUnavailable, match="HTTP 424: Inference failed"):
        send(open_remote(), ["a"])


@pytest.mark.parametrize(
    "fault", [plainly(403, error="no such plan"), plainly(403, detail="no such plan"), refusal(403, "no such plan")]
)
def test_a_provider_is_quoted_wherever_it_puts_its_words(
    server: EmbeddingsServer, open_remote: Open, fault: Fault
) -> None:
    server.poison[""] = fault
    with pytest.raises(EmbeddingRefused, match="HTTP 403: no such plan"):
        send(open_remote(), ["a"])


def test_a_server_of_your_own_needs_no_key(
    server: EmbeddingsServer, open_remote: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)  # is meant for another host
    with pytest.raises(EmbeddingRefused, match=r"^embedding\.api_key is missing"):
        send(open_remote(api_key=None), ["a"])
    server.api_key = None
    assert send(open_remote(api_key=None), ["a"]) == ["a"]


def test_azure_takes_the_version_the_deployment_and_a_key_of_its_own(open_remote: Open) -> None:
    with EmbeddingsServer(dimensions=32, api_key=KEY, deployment="acme-small") as azure:
        assert send(open_remote(model="acme-small", base_url=azure.url, api_version="2024-10-21"), ["a"]) == ["a"]
        with pytest.raises(EmbeddingRefused, match=r"^embedding\.model"):
            send(open_remote(model="unknown", base_url=azure.url, api_version="2024-10-21"), ["a"])


def test_vectors_are_shortened_where_the_settings_say_so(server: EmbeddingsServer, open_remote: Open) -> None:
    send(open_remote(model="matryoshka", dimensions=16, send_dimensions=True), ["a"])
    send(open_remote(model="text-embedding-3-small", send_dimensions=False), ["a"])
    assert [request.get("dimensions") for request in server.received] == [16, None]
    server.shortens = False
    with pytest.raises(EmbeddingRefused, match=r"^embedding\.send_dimensions: .*matryoshka"):
        send(open_remote(send_dimensions=True), ["a"])


def test_models_get_the_words_that_they_want_before_passages_and_questions(
    server: EmbeddingsServer, open_remote: Open
) -> None:
    embedder = open_remote(document_prefix="passage: ", query_prefix="query: ")
    list(embedder.embed(["a"], purpose="document"))
    list(embedder.embed(["a"], purpose="query"))
    assert sorted(server.embedded) == ["passage: a", "query: a"]


def test_vectors_of_other_prefixes_are_others(open_remote: Open) -> None:
    plain, prefixed = open_remote(), open_remote(document_prefix="passage: ")
    assert plain.model != prefixed.model == open_remote(document_prefix="passage: ", query_prefix="query: ").model
