"""A Service of the cluster and its clients: who is sent where while pods come and go, and what is lost."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from pipelines.settings import DEMO_KEY
from tests.infra.pod_processes import PodProcess

QUESTION = {"query": "lost readings telemetry gateway", "user": "ada.lindqvist@millbrook.example"}
LAG = 2.0
"""Seconds until a Service stops sending to a pod that is deleted."""
CLIENTS = 4


def ask(client: httpx.Client, url: str) -> httpx.Response:
    return client.post(f"{url}/v1/search", json=QUESTION, headers={"Authorization": f"Bearer {DEMO_KEY}"})


@dataclass
class Service:
    """Sends each new connection to one of its pods, first to those that have had none; a client keeps the one that it
    has."""

    pods: list[PodProcess]
    chosen: set[str] = field(default_factory=set)
    choosing: threading.Lock = field(default_factory=threading.Lock)
    answered: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def under_load(self) -> Iterator[None]:
        clients = [threading.Thread(target=self._ask_on) for _ in range(CLIENTS)]
        for one in clients:
            one.start()
        try:
            yield
        finally:
            self.ended.set()
            for one in clients:
                one.join()

    def _ask_on(self) -> None:
        while not self.ended.is_set():
            with httpx.Client(timeout=60) as client:
                self._ask(client, self._choose())

    def _choose(self) -> PodProcess:
        with self.choosing:
            new = [one for one in self.pods if one.folder.name not in self.chosen]
            chosen = random.choice(new or self.pods)
            self.chosen.add(chosen.folder.name)
            return chosen

    def _ask(self, client: httpx.Client, chosen: PodProcess) -> None:
        """Until the connection ends, one way or another."""
        while not self.ended.is_set():
            try:
                answer = ask(client, chosen.url(8800))
            except httpx.HTTPError as error:
                self.lost.append(repr(error))
                return
            if answer.is_success:
                self.answered[chosen.folder.name] += 1
            else:
                self.lost.append(answer.text)
            if answer.headers.get("connection") == "close":
                return

    def delete(self, one: PodProcess, *, drained: bool) -> int:
        """As a roll-out does: the pod is told to end while Services learn of it."""
        forget = threading.Timer(LAG, lambda: self.pods.remove(one))
        forget.start()
        code = one.stop(drained=drained)
        forget.join()
        return code
