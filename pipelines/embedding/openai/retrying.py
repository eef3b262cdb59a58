"""How long a provider is waited for. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.embedding.base import Purpose
from pipelines.embedding.openai.errors import TransientFailure


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Attempts at one request, and times in seconds: a person waits behind a query.

    `isolates`: where a request goes on failing, the texts in it that are at fault are looked for.
    """

    attempts: int
    longest_wait: float
    timeout: float
    isolates: bool = False

    def wait_for(self, error: Exception) -> bool | float:
        """Whether to try again, or after how many seconds, where the provider says so."""
        if not isinstance(error, TransientFailure):
            return False
        return error.retry_after is None or (error.retry_after <= self.longest_wait and error.retry_after)


RETRY_POLICIES: dict[Purpose, RetryPolicy] = {
    "document": RetryPolicy(attempts=6, longest_wait=60.0, timeout=60.0, isolates=True),
    "query": RetryPolicy(attempts=2, longest_wait=2.0, timeout=10.0),
}
PROBING = RetryPolicy(attempts=1, longest_wait=0.0, timeout=10.0)
