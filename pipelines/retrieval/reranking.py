"""Reranking, which is optional: a `/rerank` endpoint judges the documents that were found, text by text.

Cohere (https://docs.cohere.com/reference/rerank), Jina (https://api.jina.ai/redoc#tag/rerank) and vLLM take and
answer the same: `{model, query, documents, top_n}` and `{results: [{index, relevance_score}]}`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, FiniteFloat, ValidationError

from pipelines.settings import RerankerSettings

if TYPE_CHECKING:
    import httpx

TIMEOUT = 5.0
"""Seconds that a question waits for the endpoint."""
PAUSE_SECONDS = 30.0
"""How long the endpoint is left alone after a failure, so that questions do not wait for it one by one."""

log = logging.getLogger(__name__)


class _RankedText(BaseModel):
    index: int
    relevance_score: FiniteFloat


class _RerankResponse(BaseModel):
    results: list[_RankedText]


class Reranker:
    """The endpoint of the settings. Safe to call from several threads. Never raises for what the endpoint does."""

    def __init__(self, settings: RerankerSettings, transport: httpx.BaseTransport | None = None) -> None:
        import httpx

        self.top_n = settings.top_n
        self._model = settings.model
        self._url = f"{settings.base_url.rstrip('/')}/rerank"
        key = settings.api_key.get_secret_value() if settings.api_key else None
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(headers=headers, timeout=TIMEOUT, transport=transport)
        self._paused_until = 0.0

    def scores(self, query: str, texts: Sequence[str]) -> list[float] | None:
        """How well each text answers the query, higher is better; None, and a warning in the log, on failure."""
        import httpx

        if not texts:
            return []
        if time.monotonic() < self._paused_until:
            return None
        body = {"model": self._model, "query": query, "documents": list(texts), "top_n": len(texts)}
        try:
            answer = self._client.post(self._url, json=body)
            if answer.status_code != httpx.codes.OK:
                raise ValueError(f"status {answer.status_code}")
            return _scores(answer.json(), len(texts))
        except httpx.HTTPError as error:
            self._pause(f"cannot be reached ({type(error).__name__})")
        except ValueError as error:
            self._pause(f"answers with no ranking ({_short(error)})")
        return None

    def close(self) -> None:
        self._client.close()

    def _pause(self, reason: str) -> None:
        self._paused_until = time.monotonic() + PAUSE_SECONDS
        log.warning(
            "reranker %s %s; for %.0f s answers keep the order of the index. Check `reranker` in the settings",
            self._url,
            reason,
            PAUSE_SECONDS,
        )


def _scores(answer: Any, count: int) -> list[float]:
    """One score for each text. Raises ValueError if the answer leaves one out."""
    scores = {one.index: one.relevance_score for one in _RerankResponse.model_validate(answer).results}
    if scores.keys() != set(range(count)):
        raise ValueError(f"{len(scores)} scores for {count} texts")
    return [scores[index] for index in range(count)]


def _short(error: ValueError) -> str:
    """What is wrong with an answer, without what it says."""
    return error.errors()[0]["type"] if isinstance(error, ValidationError) else str(error)[:80]
