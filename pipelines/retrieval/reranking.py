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

PAUSE_SECONDS = 30.0
"""How long the endpoint is left alone after a failure, so that questions do not wait for it one by one."""
MOST_LATE = 3
"""So many answers in a row that are late are a failure; one alone is a slow moment."""

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
        self._budget = settings.timeout_ms / 1000
        self._client = httpx.Client(headers=headers, timeout=self._budget, transport=transport)
        self._paused_until = 0.0
        self._late = 0

    def scores(self, query: str, texts: Sequence[str]) -> list[float] | None:
        """How well each text answers the query, higher is better; None, and a warning in the log, on failure."""
        import httpx

        if not texts:
            return []
        if time.monotonic() < self._paused_until:
            return None
        body = {"model": self._model, "query": query, "documents": list(texts), "top_n": len(texts)}
        try:
            scores = _scores(self._answer(body), len(texts))
            self._late = 0
            return scores
        except httpx.TimeoutException:
            self._count_late()
        except httpx.HTTPError as error:
            self._pause(f"cannot be reached ({type(error).__name__})")
        except ValueError as error:
            self._pause(f"answers with no ranking ({_short(error)})")
        return None

    def close(self) -> None:
        self._client.close()

    def _answer(self, body: dict[str, Any]) -> bytes:
        """The body of the answer. Raises ValueError for a refusal, and what httpx raises, also where it trickles in."""
        import httpx

        deadline = time.monotonic() + self._budget
        with self._client.stream("POST", self._url, json=body) as answer:
            if answer.status_code != httpx.codes.OK:
                raise ValueError(f"status {answer.status_code}")
            parts = []
            for part in answer.iter_bytes():
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer is late", request=answer.request)
                parts.append(part)
        return b"".join(parts)

    def _count_late(self) -> None:
        self._late += 1
        if self._late >= MOST_LATE:
            self._late = 0
            self._pause(f"answers later than `reranker.timeout_ms` allows, {MOST_LATE} times in a row")

    def _pause(self, reason: str) -> None:
        self._paused_until = time.monotonic() + PAUSE_SECONDS
        log.warning(
            "reranker %s %s; for %.0f s answers keep the order of the index. Check `reranker` in the settings",
            self._url,
            reason,
            PAUSE_SECONDS,
        )


def _scores(answer: bytes, count: int) -> list[float]:
    """One score for each text. Raises ValueError if the answer leaves one out."""
    scores = {one.index: one.relevance_score for one in _RerankResponse.model_validate_json(answer).results}
    if scores.keys() != set(range(count)):
        raise ValueError(f"{len(scores)} scores for {count} texts")
    return [scores[index] for index in range(count)]


def _short(error: ValueError) -> str:
    """What is wrong with an answer, without what it says."""
    return error.errors()[0]["type"] if isinstance(error, ValidationError) else str(error)[:80]
