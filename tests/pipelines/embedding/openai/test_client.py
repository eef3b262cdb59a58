"""The provider `openai` on a loopback API."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.embedding import Embedder
from pipelines.embedding.base import SentRequest
from pipelines.errors import EmbeddingRefused, EmbeddingUnavailable, TextRefused
from tests.emulators.embeddings import (
    EmbeddingsServer,
    Fault,
    backwards,
    changed,
    html_page,
    refusal,
    truncated,
    vector,
)
from tests.pipelines.embedding.conftest import KEY

Open = Callable[..., Embedder]


def send(embedder: Embedder, texts: list[str], **options: Any) -> NDArray[np.float32]:
    vectors = np.zeros((len(texts), embedder.dimensions), dtype=np.float32)
    for batch in embedder.embed(texts, purpose=options.pop("purpose", "document"), **options):
        vectors[list(batch.positions)] = batch.vectors
    return vectors


class Bills:
    """A meter that keeps what each request was billed."""

    tokens_per_request: int | None = None

    def __init__(self) -> None:
        self.sent: list[SentRequest] = []

    @contextmanager
    def request(self, tokens: int) -> Iterator[SentRequest]:
        self.sent.append(SentRequest())
        yield self.sent[-1]


def unit(text: str, dimensions: int = 32) -> NDArray[np.float32]:
    made = vector(text, dimensions)
    return made / np.linalg.norm(made)


def test_many_texts_take_few_requests(server: EmbeddingsServer, open_remote: Open) -> None:
    texts = [f"text {number}" for number in range(3_000)]
    vectors = send(open_remote(), texts)
    assert server.counters() == {"requests": 2, "inputs": 3_000, "tokens": server.tokens, "repeated": 0}
    assert vectors[2_999] == pytest.approx(unit("text 2999"), abs=1e-6)


def test_requests_are_packed_by_tokens(server: EmbeddingsServer, open_remote: Open) -> None:
    send(open_remote(), [f"{number} " + "x" * 7_990 for number in range(150)])
    assert server.requests == 2


def test_several_requests_are_under_way(server: EmbeddingsServer, open_remote: Open) -> None:
    server.latency_ms = 50
    send(open_remote(), [str(number) for number in range(12)], inputs_per_request=1)
    assert 2 <= server.most_under_way <= 4


@pytest.mark.parametrize(
    "fault",
    [
        refusal(429),
        refusal(429, Retry_After="0"),
        refusal(500),
        html_page(502),
        html_page(200),
        truncated,
        changed(lambda answer: answer["data"][0].update(embedding=None)),
    ],
)
def test_what_fails_for_the_moment_is_tried_again(server: EmbeddingsServer, open_remote: Open, fault: Fault) -> None:
    server.faults.append(fault)
    assert send(open_remote(), ["a"])[0] == pytest.approx(unit("a"), abs=1e-6)
    assert server.requests == 2


@pytest.mark.parametrize(
    "fault",
    [
        changed(lambda answer: answer.update(data=answer["data"][:1], usage={"prompt_tokens": 7})),
        changed(lambda answer: answer.update(data=[{"index": 0, "embedding": "?"}] * 2, usage={"prompt_tokens": 7})),
    ],
    ids=["one vector of two", "no vectors"],
)
def test_an_answer_is_billed_as_it_says_whatever_its_vectors_are(
    server: EmbeddingsServer, open_remote: Open, fault: Fault
) -> None:
    server.faults.append(fault)
    meter = Bills()
    send(open_remote(), ["the first text", "the second text"], meter=meter)
    assert meter.sent[0].billed == 7


@pytest.mark.parametrize(("fault", "requests"), [(refusal(429, "slow down"), 3), (html_page(503), 6), (truncated, 6)])
def test_what_keeps_failing_is_unavailable(
    server: EmbeddingsServer, open_remote: Open, fault: Fault, requests: int
) -> None:
    server.poison[""] = fault
    with pytest.raises(EmbeddingUnavailable, match=r"127\.0\.0\.1 .*try again later"):
        send(open_remote(), ["a", "b"])
    assert server.requests == requests  # three attempts at it; and at another text, where one could be to blame


def test_nobody_waits_longer_than_is_sensible(server: EmbeddingsServer, open_remote: Open) -> None:
    server.faults.extend([refusal(429, Retry_After="600"), refusal(429, Retry_After="5")])
    with pytest.raises(EmbeddingUnavailable, match="429"):
        send(open_remote(), ["a"])
    with pytest.raises(EmbeddingUnavailable, match="429"):
        send(open_remote(), ["a"], purpose="query")
    assert server.requests == 2


def test_nobody_there_is_unavailable(open_remote: Open) -> None:
    with EmbeddingsServer() as gone:
        url = gone.url
    with pytest.raises(EmbeddingUnavailable, match="does not answer"):
        send(open_remote(base_url=url), ["a"])


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (refusal(403, "no access to model"), r"^embedding\.api_key: .*'words'.*no access to model"),
        (refusal(404, "unknown"), r"^embedding\.model: .*'words'.*/v1"),
        (refusal(400, "dimensions are not supported"), r"^embedding\.model: .*dimensions are not supported"),
        (refusal(429, "pay", "insufficient_quota"), r"^embedding\.api_key: .*quota.*billing"),
        (refusal(307, location="http://127.0.0.1:1/"), r"^embedding\.base_url: .*HTTP 307"),
        (html_page(405), r"^embedding\.base_url: .*HTTP 405"),
    ],
)
def test_what_cannot_succeed_is_refused_at_once(
    server: EmbeddingsServer, open_remote: Open, fault: Fault, message: str
) -> None:
    server.poison[""] = fault
    with pytest.raises(EmbeddingRefused, match=message):
        send(open_remote(), ["a", "b"])
    assert server.requests <= 3


def test_a_wrong_key_is_told_without_showing_it(open_remote: Open) -> None:
    with pytest.raises(EmbeddingRefused, match=r"^embedding\.api_key: .*does not accept the key") as caught:
        send(open_remote(api_key=KEY[::-1]), ["a"])
    assert KEY[::-1] not in "".join(traceback.format_exception(caught.value))


def test_a_provider_that_quotes_the_key_does_not_spread_it(server: EmbeddingsServer, open_remote: Open) -> None:
    server.faults.extend([refusal(403, f"{KEY} may not")])
    with pytest.raises(EmbeddingRefused, match=r"\*\*\* may not") as caught:
        send(open_remote(), ["a"])
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_wrong_dimensions_say_what_to_set(open_remote: Open) -> None:
    expected = r"embedding\.dimensions is 1536, the provider answered 32; set it to 32"
    with pytest.raises(EmbeddingRefused, match=expected):
        send(open_remote(dimensions=1536), ["a"])


@pytest.mark.parametrize(
    ("model", "sent"), [("text-embedding-3-small", 24), ("openai/text-embedding-3-large", 24), ("bge-m3", None)]
)
def test_only_models_that_shorten_vectors_are_told_the_dimensions(
    server: EmbeddingsServer, open_remote: Open, model: str, sent: int | None
) -> None:
    server.dimensions = 24
    send(open_remote(model=model, dimensions=24), ["a"])
    assert [request.get("dimensions") for request in server.received] == [sent]


def test_an_answer_in_another_order_is_put_right(server: EmbeddingsServer, open_remote: Open) -> None:
    server.faults.append(backwards)
    vectors = send(open_remote(), ["a", "b", "c"])
    assert vectors == pytest.approx(np.array([unit("a"), unit("b"), unit("c")]), abs=1e-6)


def test_a_text_longer_than_the_model_takes_is_cut(server: EmbeddingsServer, open_remote: Open) -> None:
    send(open_remote(), ["€" * 9_000, "short"])
    assert sorted(map(len, server.embedded)) == [5, 2_730]


def test_a_server_that_takes_less_gets_smaller_requests(server: EmbeddingsServer, open_remote: Open) -> None:
    server.most_inputs, server.most_bytes = 3, 1_000
    texts = [f"text {number}" for number in range(10)] + ["long " * 300]
    vectors = send(open_remote(), texts)
    assert vectors[:10] == pytest.approx(np.array([unit(text) for text in texts[:10]]), abs=1e-6)
    assert server.counters()["repeated"] == 0
    assert np.linalg.norm(vectors[10]) == pytest.approx(1)


POISON = [
    refusal(500, "failed to encode response: json: unsupported value: NaN"),
    refusal(500, "input is too large to process. increase the physical batch size"),
    html_page(502),
    refusal(400, "the text cannot be tokenized"),
    refusal(413),
]


@pytest.mark.parametrize("fault", POISON)
def test_a_text_that_the_server_cannot_take_keeps_no_other_from_being_embedded(
    server: EmbeddingsServer, open_remote: Open, fault: Fault
) -> None:
    server.poison["cursed"] = fault
    texts = [f"text {number}" for number in range(20)] + ["cursed"] + [f"more {number}" for number in range(19)]
    batches = list(open_remote().embed(texts, purpose="document", inputs_per_request=16))
    refused = {position: reason for batch in batches for position, reason in batch.refused.items()}
    assert list(refused) == [20]
    assert sorted(position for batch in batches for position in batch.positions) == [*range(20), *range(21, 40)]
    assert all(server.embedded[text] == (text != "cursed") for text in texts)  # nothing is paid twice


@pytest.mark.parametrize("vector", [None, [], [0.0] * 32, [float("nan")] * 32])
def test_a_text_without_a_vector_costs_the_others_nothing(
    server: EmbeddingsServer, open_remote: Open, vector: object
) -> None:
    server.spoiled["cursed"] = vector
    (batch,) = open_remote().embed(["a", "cursed", "b"], purpose="document")
    assert (batch.positions, list(batch.refused)) == ([0, 2], [1])
    assert batch.vectors[1] == pytest.approx(unit("b"), abs=1e-6)
    assert (server.embedded["a"], server.embedded["b"]) == (1, 1)


def test_a_question_that_the_server_cannot_take_is_refused(server: EmbeddingsServer, open_remote: Open) -> None:
    server.spoiled["cursed"] = None
    with pytest.raises(TextRefused, match="zero or not a number"):
        send(open_remote(), ["cursed"], purpose="query")


def test_a_server_that_answers_numbers_only_is_asked_for_them_from_then_on(
    server: EmbeddingsServer, open_remote: Open
) -> None:
    server.encodings = ("float",)
    embedder = open_remote()
    assert send(embedder, ["a"])[0] == pytest.approx(unit("a"), abs=1e-6)
    send(embedder, ["b"])
    assert [request["encoding_format"] for request in server.received] == ["base64", "float", "float"]


@pytest.mark.parametrize("answers_one", [False, True])
def test_how_many_texts_a_server_takes_is_remembered(
    server: EmbeddingsServer, open_remote: Open, answers_one: bool
) -> None:
    if answers_one:  # whatever it is sent
        server.faults.extend([changed(lambda answer: answer.update(data=answer["data"][:1]))] * 100)
    else:
        server.most_inputs = 1
    embedder = open_remote()
    send(embedder, [f"text {number}" for number in range(8)])
    requests = server.requests
    vectors = send(embedder, [f"more {number}" for number in range(8)])
    assert server.requests - requests == 8
    assert vectors[7] == pytest.approx(unit("more 7"), abs=1e-6)


def test_paid_answers_arrive_before_an_error(server: EmbeddingsServer, open_remote: Open) -> None:
    server.faults.extend([changed(lambda _: None), changed(lambda _: None), refusal(403)])
    received: list[int] = []
    batches = open_remote().embed([str(n) for n in range(50)], purpose="document", inputs_per_request=1)
    with pytest.raises(EmbeddingRefused):
        received.extend(position for batch in batches for position in batch.positions)
    assert sorted(server.embedded) == sorted(str(position) for position in received)


def test_the_cache_name_tells_providers_apart_and_holds_no_secret(open_remote: Open) -> None:
    embedder = open_remote(base_url="https://models.example:8443/v1?api-key=word", model="bge-m3")
    assert embedder.model == "models.example/bge-m3"


@pytest.mark.parametrize(
    ("settings", "price"),
    [
        ({"base_url": "https://api.openai.com/v1", "model": "text-embedding-3-small"}, 0.02),
        ({"base_url": "https://api.openai.com/v1", "price_per_million_tokens": 0.5}, 0.5),
        ({"base_url": "https://api.openai.com/v1", "model": "of-tomorrow"}, 0.0),
        ({"model": "text-embedding-3-small"}, 0.0),
    ],
)
def test_prices_are_known_where_the_settings_say_none(
    open_remote: Open, settings: dict[str, Any], price: float
) -> None:
    assert open_remote(**settings).price_per_million_tokens == price


def test_the_emulator_counts_in_json(server: EmbeddingsServer, open_remote: Open) -> None:
    send(open_remote(), ["a", "b"])
    send(open_remote(), ["a"])
    assert json.dumps(server.counters()) == '{"requests": 2, "inputs": 3, "tokens": 3, "repeated": 1}'
