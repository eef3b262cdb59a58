"""The changes feed of an account, which tells of all its units at once: what one asked for serves the others, too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from connectors.drive.client import DriveClient
from connectors.drive.payloads import ChangePage

_SECONDS = 60.0
"""For which an answer counts. What changes meanwhile, the token in it leads to at the next read."""


@dataclass(slots=True)
class _Answer:
    page: ChangePage
    asked_at: float = field(default_factory=time.monotonic)
    told: set[str] = field(default_factory=set)

    def is_news_to(self, unit: str) -> bool:
        return unit not in self.told and time.monotonic() - self.asked_at < _SECONDS


class ChangesFeed:
    """One for each connector. Units that read it one after the other from the same token go on from the same token."""

    def __init__(self, client: DriveClient) -> None:
        self._client = client
        self._answers: dict[tuple[str, str | None], _Answer] = {}

    def forget(self) -> None:
        """Ask anew from here on."""
        self._answers.clear()

    def pages(self, unit: str, token: str, drive: str | None) -> Iterator[ChangePage]:
        """Pages of changes since `token`, as `DriveClient.changes` has them; an answer of one page is told to each unit
        once."""
        known = self._answers.get((token, drive))
        if known is None or not known.is_news_to(unit):
            pages = self._client.changes(token, drive)
            first = next(pages)
            if first.next_page_token:
                yield from chain([first], pages)
                return
            known = self._answers[token, drive] = _Answer(first)
        known.told.add(unit)
        yield known.page
