"""Finds the texts that a provider does not take, so that they keep no others from being embedded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from pipelines.embedding.base import PROBE, Meter
from pipelines.embedding.openai.batching import halve
from pipelines.embedding.openai.errors import RequestTooLarge
from pipelines.embedding.openai.responses import EmbeddingResponse, join, nothing_but
from pipelines.embedding.openai.retrying import PROBING, RetryPolicy
from pipelines.errors import BudgetSpent, EmbeddingError, EmbeddingRefused, EmbeddingUnavailable, TextRefused

ATTEMPTS_AT_PARTS = 2
"""What is left of a request that failed often was tried often enough."""

Request: TypeAlias = Callable[[Sequence[str], RetryPolicy, Meter], EmbeddingResponse]


class RequestFailed(EmbeddingUnavailable):
    """A request failed at each attempt, perhaps for one of its texts. `reason` is without advice."""

    def __init__(self, where: str, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{where} {reason}; try again later")


class IsolatingSender:
    """Sends texts in one request; in halves where that fails, until what fails is one text.

    Servers answer 500 to a request, or a vector of nothing, for one text among many: where the model gave no number
    (https://github.com/ollama/ollama/issues/9639), or where a text is longer than they were started for. Whether it is
    the text or the server is asked with a text that every model knows. `most_inputs` is what one request may hold, as
    far as refusals have told.
    """

    def __init__(self, request: Request, dimensions: int, most_inputs: int) -> None:
        """`request` raises RequestTooLarge, RequestFailed and EmbeddingError."""
        self.most_inputs = most_inputs
        self._request = request
        self._dimensions = dimensions

    def send(self, texts: Sequence[str], policy: RetryPolicy, meter: Meter) -> EmbeddingResponse:
        """Raises EmbeddingError where the provider answers for no text, and TextRefused where one is not isolated."""
        try:
            response = self._request(texts, policy, meter)
        except RequestTooLarge as refusal:
            return self._send_smaller(texts, policy, refusal, meter)
        except RequestFailed as failure:
            if not policy.isolates or not self._takes_others(meter):
                raise
            return self._send_parts(texts, policy, failure.reason, meter)
        return self._ask_again(texts, response, policy, meter)

    def _send_smaller(
        self, texts: Sequence[str], policy: RetryPolicy, refusal: RequestTooLarge, meter: Meter
    ) -> EmbeddingResponse:
        parts = halve(texts)
        if not parts:
            return self._refuse(policy, refusal, meter)
        response = join([self.send(part, policy, meter) for part in parts])
        if len(texts) > 1 and not response.refused:  # it was their number, or all of their words
            self.most_inputs = min(self.most_inputs, len(parts[0]))
        return response

    def _send_parts(self, texts: Sequence[str], policy: RetryPolicy, reason: str, meter: Meter) -> EmbeddingResponse:
        if len(texts) == 1:
            return nothing_but(reason, self._dimensions)
        hurried = replace(policy, attempts=min(policy.attempts, ATTEMPTS_AT_PARTS))
        return join([self.send(part, hurried, meter) for part in halve(texts)])

    def _refuse(self, policy: RetryPolicy, refusal: RequestTooLarge, meter: Meter) -> EmbeddingResponse:
        """One text that is refused however short it is cut, unless everything is refused."""
        if not policy.isolates:
            raise TextRefused(str(refusal))
        if not self._takes_others(meter):
            raise EmbeddingRefused(str(refusal))
        return nothing_but(str(refusal), self._dimensions)

    def _ask_again(
        self, texts: Sequence[str], response: EmbeddingResponse, policy: RetryPolicy, meter: Meter
    ) -> EmbeddingResponse:
        """For each text without a vector once more, alone: the others of the answer are paid for, and kept."""
        for position in list(response.refused):
            try:
                alone = self._request([texts[position]], policy, meter)
            except (RequestTooLarge, RequestFailed):
                continue
            response = response.with_answer(position, alone)
        if response.refused and not policy.isolates:
            raise TextRefused(next(iter(response.refused.values())))
        return response

    def _takes_others(self, meter: Meter) -> bool:
        try:
            return not self._request([PROBE], PROBING, meter).refused
        except BudgetSpent:
            raise
        except (RequestTooLarge, EmbeddingError):
            return False
