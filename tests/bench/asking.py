"""The running system, as those see it who deliver events and ask questions, and how long a right outlasts its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

KEY = "a-key-for-people-of-the-bench"
ADA, STRANGER = "ada@acme.test", "stranger@example.com"
PATIENCE = 60.0
"""Seconds after which somebody still finds by it."""

Delivery = tuple[str, dict[str, str], bytes]
"""Connection, headers and body of a webhook."""


@dataclass
class System:
    """The running system, as those see it who deliver and ask."""

    url: str
    client: httpx.Client
    run: Callable[..., None]

    def deliver(self, delivery: Delivery) -> None:
        connection, headers, body = delivery
        self.client.post(f"{self.url}/webhooks/{connection}", content=body, headers=headers).raise_for_status()

    def found(self, words: str, person: str) -> int:
        question = {"query": words, "mode": "lexical", "top_k": 10, "user": person}
        answer = self.client.post(f"{self.url}/v1/search", json=question, headers={"Authorization": f"Bearer {KEY}"})
        found = answer.raise_for_status().json()["results"]
        return sum(any(words in chunk["text"] for chunk in document["chunks"]) for document in found)

    def seconds_until_gone(self, words: str, person: str, most: int = 0) -> float:
        """Until at most so many documents are found. Raises TimeoutError."""
        started = time.monotonic()
        while self.found(words, person) > most:
            if time.monotonic() - started > PATIENCE:
                raise TimeoutError(f"{person} still finds {words!r}")
            time.sleep(0.01)
        return time.monotonic() - started

    def wait_until_found(self, words: str, person: str) -> None:
        """Who keeps a right finds by it, once memberships of what became private are read. Raises TimeoutError."""
        started = time.monotonic()
        while not self.found(words, person):
            if time.monotonic() - started > PATIENCE:
                raise TimeoutError(f"{person} does not find {words!r}")
            time.sleep(0.01)
