"""Those outside: GitHub, which delivers each change once, people who ask, and an operator who starts syncs."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self

import httpx

from tests.chaos.source import BusyGitHub, Delivery
from tests.chaos.system import KEY, QUESTION, System

DELIVERIES_AT_ONCE = 8
SECONDS_BETWEEN_SYNCS = 60.0
SECONDS_BETWEEN_QUESTIONS = 0.5
_JOB = "sync_hub"


@dataclass
class GitHubDeliveries:
    """Through a load balancer: where one server does not take a delivery, it is offered to the other. What none has
    taken is `undelivered`, and can be asked for again on GitHub's page. `taken` are the ids of those that were answered
    with success: of them nothing may be lost."""

    source: BusyGitHub
    servers: Sequence[str]
    chance: random.Random
    answers: Counter[str] = field(default_factory=Counter)
    undelivered: list[Delivery] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _client: httpx.Client = field(default_factory=httpx.Client)

    def deliver_all(self, events: int, seconds: float) -> None:
        """Several at once, as they come: no delivery waits for the answer to the one before."""
        due = time.monotonic()
        with ThreadPoolExecutor(DELIVERIES_AT_ONCE) as threads:
            under_way = []
            for _ in range(events):
                under_way.append(threads.submit(self._deliver_or_keep, self.source.change()))
                due += self.chance.expovariate(events / seconds)
                time.sleep(max(due - time.monotonic(), 0))
            for one in under_way:
                one.result()

    def _deliver_or_keep(self, delivery: Delivery) -> None:
        if not self.deliver(delivery):
            self.undelivered.append(delivery)

    def deliver(self, delivery: Delivery) -> bool:
        headers, body = delivery
        return any(
            self._answer(server, headers, body) for server in self.chance.sample(list(self.servers), len(self.servers))
        )

    def _answer(self, server: str, headers: dict[str, str], body: bytes) -> bool:
        """Whether this server has taken it."""
        try:
            answer = self._client.post(f"{server}/webhooks/hub", content=body, headers=headers, timeout=10)
        except httpx.HTTPError as error:
            result, taken = type(error).__name__, False
        else:
            result, taken = str(answer.status_code), answer.is_success
        with self._lock:
            self.answers[result] += 1
            self.taken.update([headers["x-github-delivery"]] if taken else [])
        return taken


@dataclass
class Askers:
    servers: Sequence[str]
    chance: random.Random
    answers: Counter[str] = field(default_factory=Counter)
    _client: httpx.Client = field(default_factory=httpx.Client)

    def ask_until(self, ended: threading.Event) -> None:
        while not ended.wait(SECONDS_BETWEEN_QUESTIONS):
            question = {"query": QUESTION, "user": "ada@acme.test"}
            headers = {"Authorization": f"Bearer {KEY}"}
            try:
                url = f"{self.chance.choice(self.servers)}/v1/search"
                answer = self._client.post(url, json=question, headers=headers, timeout=30)
                self.answers[str(answer.status_code)] += 1
            except httpx.HTTPError as error:
                self.answers[type(error).__name__] += 1


@dataclass
class Operator:
    system: System
    refused: Counter[str] = field(default_factory=Counter)

    def sync_until(self, ended: threading.Event) -> None:
        while not ended.wait(SECONDS_BETWEEN_SYNCS):
            try:
                self.system.dagster.launch("headrace", _JOB)
            except (httpx.HTTPError, AssertionError, KeyError, TypeError) as error:
                self.refused[type(error).__name__] += 1


@dataclass
class Outside:
    """All of them."""

    deliveries: GitHubDeliveries
    askers: Askers
    operator: Operator

    @classmethod
    def of(cls, system: System, seed: int) -> Self:
        deliveries = GitHubDeliveries(system.source, system.servers, random.Random(seed + 2))
        return cls(deliveries, Askers(system.servers, random.Random(seed + 3)), Operator(system))
