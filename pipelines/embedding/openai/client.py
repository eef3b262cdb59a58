"""Embeddings from any API of OpenAI's form (https://platform.openai.com/docs/api-reference/embeddings)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import stamina

from pipelines.chunking.tokens import estimate_tokens
from pipelines.embedding.base import UNMETERED, EmbeddedBatch, Meter, Purpose, SentRequest
from pipelines.embedding.openai.batching import MOST_INPUTS, cut, pack
from pipelines.embedding.openai.concurrency import run_concurrently
from pipelines.embedding.openai.connection import connect, embeddings_path
from pipelines.embedding.openai.errors import (
    EncodingRefused,
    RequestRefused,
    RequestTooLarge,
    TransientFailure,
    classify,
    unanswered,
)
from pipelines.embedding.openai.isolation import IsolatingSender, RequestFailed
from pipelines.embedding.openai.responses import (
    EmbeddingResponse,
    UnreadableResponse,
    WrongCount,
    WrongDimensions,
    counted_tokens,
    parse_object,
    parse_response,
)
from pipelines.embedding.openai.retrying import RETRY_POLICIES, RetryPolicy
from pipelines.errors import EmbeddingRefused, EmbeddingUnavailable
from pipelines.settings import OpenAIEmbeddingSettings

if TYPE_CHECKING:
    import httpx

MOST_TOKENS = 200_000
"""OpenAI takes 300,000 tokens a request; the estimate can be a third too low."""
MOST_BYTES_PER_TEXT = 8_191
"""OpenAI's models take 8,191 tokens, and a token has at least one byte. Chunks have about 2,000."""
IN_FLIGHT = 4


class OpenAICompatibleEmbedder:
    """Sends requests concurrently and retries those that failed for the moment.

    Not through the openai client: its import takes 0.3 s of CPU and 22 MB of each process, and its retries do not
    repeat a request whose answer was cut short, and would wait two minutes behind a query.
    """

    def __init__(self, settings: OpenAIEmbeddingSettings) -> None:
        host = urlsplit(settings.base_url).hostname or ""
        self.model = _name(settings, host)
        self.dimensions = settings.dimensions
        self.window_tokens: int | None = None
        self.price_per_million_tokens = settings.price
        self._settings = settings
        self._pool = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="embedding")
        self._connecting = Lock()
        self._sender = IsolatingSender(self._request_with_retries, settings.dimensions, settings.max_inputs)
        self._encoding: Literal["base64", "float"] = "base64"

    def embed(
        self,
        texts: Sequence[str],
        *,
        purpose: Purpose,
        inputs_per_request: int | None = None,
        requests_at_once: int | None = None,
        meter: Meter = UNMETERED,
    ) -> Iterator[EmbeddedBatch]:
        """See `Embedder.embed`. Raises EmbeddingRefused and EmbeddingUnavailable."""
        prefix = self._settings.query_prefix if purpose == "query" else self._settings.document_prefix
        inputs = [cut(prefix + text, MOST_BYTES_PER_TEXT) or " " for text in texts]  # an empty one would be refused
        lengths = [estimate_tokens(text) for text in inputs]
        most_inputs = min(inputs_per_request or MOST_INPUTS, self._sender.most_inputs)
        most_tokens = min(meter.tokens_per_request or MOST_TOKENS, MOST_TOKENS)

        def send(positions: Sequence[int]) -> EmbeddedBatch:
            answer = self._sender.send([inputs[position] for position in positions], RETRY_POLICIES[purpose], meter)
            return _batch(positions, answer, sum(lengths[position] for position in positions))

        requests = pack(lengths, most_tokens=most_tokens, most_inputs=most_inputs)
        if purpose == "query":
            return map(send, requests)  # on the caller's thread: a query does not queue behind documents
        return run_concurrently(self._pool, send, requests, min(requests_at_once or IN_FLIGHT, IN_FLIGHT))

    def close(self) -> None:
        """Give up what is under way: nobody waits for it any more, and a retry could take minutes."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        if "_client" in self.__dict__:
            self._client.close()

    @cached_property
    def _client(self) -> httpx.Client:
        return connect(self._settings)

    def _request_with_retries(self, texts: Sequence[str], policy: RetryPolicy, meter: Meter) -> EmbeddingResponse:
        """Raises RequestTooLarge, RequestFailed, EmbeddingUnavailable and EmbeddingRefused."""
        try:
            for attempt in stamina.retry_context(
                on=policy.wait_for, attempts=policy.attempts, timeout=None, wait_max=min(30.0, policy.longest_wait)
            ):
                with attempt:
                    return self._request(texts, policy.timeout, meter)
        except TransientFailure as error:
            if error.may_be_the_text:
                raise RequestFailed(f"embedding: {self._host}", str(error)) from None
            raise EmbeddingUnavailable(f"embedding: {self._host} {error}; try again later") from None
        except RequestRefused as error:
            raise EmbeddingRefused(str(error)) from None  # the client's own error may quote the key
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _request(self, texts: Sequence[str], timeout: float, meter: Meter) -> EmbeddingResponse:
        estimated = sum(map(estimate_tokens, texts))
        try:
            with meter.request(estimated) as sent:
                content = self._send(texts, timeout, sent)
                sent.billed = estimated  # whoever has answered has done the work, whatever can be read of it
                answer = parse_object(content)
                sent.billed = _first_known(counted_tokens(answer), estimated)
                return parse_response(answer, len(texts), self.dimensions)
        except UnreadableResponse as error:
            reason = f"{error}; if this stays, check embedding.base_url"
            raise TransientFailure(reason, may_be_the_text=True) from error
        except WrongCount as error:
            raise RequestTooLarge(f"embedding.model: {self._host} {error}") from error
        except WrongDimensions as error:
            raise RequestRefused(
                f"embedding.dimensions is {self.dimensions}, the provider answered {error.answered}; "
                f"set it to {error.answered}, or choose another embedding.model"
            ) from error

    def _send(self, texts: Sequence[str], timeout: float, sent: SentRequest) -> bytes:
        """The body of the response. Raises TransientFailure, RequestRefused and RequestTooLarge."""
        import httpx

        with self._connecting:
            client = self._client
        body: dict[str, object] = {"model": self._settings.model, "input": list(texts)}
        body["encoding_format"] = self._encoding
        if _shortens(self._settings):
            body["dimensions"] = self.dimensions
        try:
            response = client.post(embeddings_path(self._settings), json=body, timeout=timeout)
        except httpx.RequestError as error:
            raise unanswered(error) from error
        if response.is_success:
            return response.content
        meaning = classify(response, self._settings)
        if not isinstance(meaning, EncodingRefused):
            raise meaning
        if self._encoding == "float":
            raise RequestRefused(f"embedding.base_url: {self._host} takes no encoding ({meaning})")
        self._encoding = "float"
        sent.requests += 1
        return self._send(texts, timeout, sent)

    @property
    def _host(self) -> str:
        return urlsplit(self._settings.base_url).hostname or "the provider"


def _name(settings: OpenAIEmbeddingSettings, host: str) -> str:
    """With the host, where the same name can be another model, and with what is put before passages."""
    prefix = settings.document_prefix
    return f"{host}/{settings.model}" + (f"+{sha256(prefix.encode()).hexdigest()[:8]}" if prefix else "")


def _shortens(settings: OpenAIEmbeddingSettings) -> bool:
    """Whether vectors are asked for in a length. Unless told, only of OpenAI's third generation: others may refuse."""
    told = settings.send_dimensions
    return "text-embedding-3" in settings.model if told is None else told


def _batch(positions: Sequence[int], answer: EmbeddingResponse, estimated: int) -> EmbeddedBatch:
    rows = [row for row in range(len(positions)) if row not in answer.refused]
    return EmbeddedBatch(
        [positions[row] for row in rows],
        answer.vectors[rows],
        _first_known(answer.tokens, estimated),
        {positions[row]: reason for row, reason in answer.refused.items()},
    )


def _first_known(counted: int | None, estimated: int) -> int:
    return estimated if counted is None else counted
