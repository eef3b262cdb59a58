"""Those outside: GitHub, which delivers each change once, people who ask, and an operator who starts syncs."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from tests.chaos.source import BusyGitHub, Delivery
from tests.chaos.system import KEY, QUESTION, System

SECONDS_BETWEEN_SYNCS = 30.0
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

    def deliver_all(self, events: int, seconds: float, ended: threading.Event) -> None:
        for _ in range(events):
            delivery = self.source.change()
            if not self.deliver(delivery):
                self.undelivered.append(delivery)
            if ended.wait(self.chance.expovariate(events / seconds)):
                return

    def deliver(self, delivery: Delivery) -> bool:
        headers, body = delivery
        for server in self.chance.sample(list(self.servers), len(self.servers)):
            try:
                answer = httpx.post(f"{server}/webhooks/hub", content=body, headers=headers, timeout=10)
            except httpx.HTTPError as error:
                self.answers[type(error).__name__] += 1
                continue
            self.answers[str(answer.status_code)] += 1
            if answer.is_success:
                self.taken.add(headers["x-github-delivery"])
                return True
        return False


@dataclass
class Askers:
    servers: Sequence[str]
    chance: random.Random
    answers: Counter[str] = field(default_factory=Counter)

    def ask_until(self, ended: threading.Event) -> None:
        while not ended.wait(SECONDS_BETWEEN_QUESTIONS):
            question = {"query": QUESTION, "user": "ada@acme.test"}
            headers = {"Authorization": f"Bearer {KEY}"}
            try:
                url = f"{self.chance.choice(self.servers)}/v1/search"
                answer = httpx.post(url, json=question, headers=headers, timeout=30)
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
