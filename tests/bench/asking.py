"""The running system, as those see it who deliver events and ask questions, and how long a right outlasts its end."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import httpx
from starlette.responses import Response

from tests.emulators.drive import GoogleDrive
from tests.emulators.github import GitHub
from tests.emulators.notion import Notion

KEY = "a-key-for-people-of-the-bench"
ADA, STRANGER = "ada@acme.test", "stranger@example.com"
PATIENCE = 60.0
"""Seconds after which somebody still finds by it."""

Delivery = tuple[str, dict[str, str], bytes]
"""Connection, headers and body of a webhook."""


EVENT = ""
"""Told by the event itself: from the moment at which its webhook was answered Headrace knows."""


@dataclass(frozen=True)
class Measured:
    """How long a right outlasted its end: `seconds` from what `told` of it, the event or an answer of the source, to
    the first answer without the documents; and `in_all`, from the answer to the webhook, or from the sync's start."""

    what: str
    seconds: float
    in_all: float
    told: str

    def __str__(self) -> str:
        told = "the event" if self.told == EVENT else f"the source's answer to {self.told}"
        return f"{self.seconds:6.2f} s  {self.what}; told by {told} ({self.in_all:.2f} s in all)"


class _Paths(list[str]):
    """Paths that are asked for, each told of at once."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__()
        self._tell = tell

    def append(self, path: str) -> None:
        super().append(path)
        self._tell(f"/{path}")


@dataclass
class Answers:
    """When the emulated sources have answered which path."""

    given: list[tuple[float, str]] = field(default_factory=list)

    def watch(self, source: GitHub | GoogleDrive | Notion) -> None:
        """Note each answer of an emulator; of Drive when it is asked, which is as soon."""
        if isinstance(source, GoogleDrive):
            source.asked_for = _Paths(self._note)
            return
        emulator: Any = source
        answer = emulator.answered

        def answered(*asked: Any) -> Response:
            response: Response = answer(*asked)
            self._note(asked[1] if isinstance(source, Notion) else f"/{asked[0].path}")
            return response

        emulator.answered = answered

    def _note(self, path: str) -> None:
        self.given.append((time.monotonic(), path))

    def wait_until_quiet(self, seconds: float = 5.0) -> None:
        """Until nothing was asked for so long: what is asked next is asked because of what happens next."""
        while (waiting := self.given[-1][0] + seconds - time.monotonic()) > 0:
            time.sleep(waiting)

    def first(self, path: str, since: float) -> float:
        """When a path that this pattern matches was first answered. Raises LookupError if it was not."""
        found = (at for at, asked in list(self.given) if at >= since and re.search(path, asked))
        if (at := next(found, None)) is None:
            raise LookupError(f"nobody has asked for {path!r}: {[asked for at, asked in self.given if at >= since]}")
        return at

    def end_of_listing(self, path: str, since: float) -> float:
        """When the last page was answered of the listing that this was the first of: what a listing lacks it tells at
        its end. Raises LookupError if none was asked for."""
        first = self.first(path, since)
        pages = takewhile(lambda given: re.search(path, given[1]), (one for one in list(self.given) if one[0] >= first))
        return max(at for at, _ in pages)


@dataclass
class System:
    """The running system, as those see it who deliver and ask."""

    url: str
    client: httpx.Client
    run: Callable[..., None]
    answers: Answers

    def deliver(self, delivery: Delivery) -> None:
        connection, headers, body = delivery
        self.client.post(f"{self.url}/webhooks/{connection}", content=body, headers=headers).raise_for_status()

    def found(self, words: str, person: str) -> int:
        question = {"query": words, "mode": "lexical", "top_k": 10, "user": person}
        answer = self.client.post(f"{self.url}/v1/search", json=question, headers={"Authorization": f"Bearer {KEY}"})
        found = answer.raise_for_status().json()["results"]
        return sum(any(words in chunk["text"] for chunk in document["chunks"]) for document in found)

    def wait_until_gone(self, words: str, person: str) -> None:
        """Until nobody finds by them. Raises TimeoutError."""
        started = time.monotonic()
        while self.found(words, person):
            if time.monotonic() - started > PATIENCE:
                raise TimeoutError(f"{person} still finds {words!r}")
            time.sleep(0.01)

    def measure(
        self, what: str, words: str, person: str, told: str = EVENT, *, listed_since: float | None = None
    ) -> Measured:
        """From now, or from the first answer of a source to a path that `told` matches; with `listed_since`, from the
        end of the listing there that began after that. Raises TimeoutError."""
        started = listed_since or time.monotonic()
        self.wait_until_gone(words, person)
        ended = time.monotonic()
        if listed_since:
            known = self.answers.end_of_listing(told, started)
        else:
            known = started if told == EVENT else self.answers.first(told, started)
        return Measured(what, max(0.0, ended - known), ended - started, told)

    def wait_until_found(self, words: str, person: str) -> None:
        """Who keeps a right finds by it, once memberships of what became private are read. Raises TimeoutError."""
        started = time.monotonic()
        while not self.found(words, person):
            if time.monotonic() - started > PATIENCE:
                raise TimeoutError(f"{person} does not find {words!r}")
            time.sleep(0.01)
