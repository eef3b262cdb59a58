"""What is told of many repositories in one question, to be taken one by one."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from connectors.errors import SourceError
from connectors.github.payloads.parsing import NotAsDocumented

Head = TypeVar("Head")

REPOSITORIES_PER_REQUEST = 50
HEAD_SECONDS = 60.0
"""For which what was told counts, and once only: what changes later is found by the sync after this one."""


class RepositoryHeads(ABC, Generic[Head]):
    """For one pass over the units of a connection, whose names `_names` holds by their ids: those after the first that
    is asked for are asked for with it. After a question that was not answered as it should be, nothing more is told in
    this pass."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._told: dict[str, Head] = {}
        self._told_at = 0.0

    def take(self, unit_id: str) -> Head | None:
        """The head of a repository as it is now; None where it is not told."""
        if unit_id not in self._names:
            return None
        if unit_id not in self._told or time.monotonic() - self._told_at > HEAD_SECONDS:
            self._ask(unit_id)
        self._names.pop(unit_id, None)
        return self._told.pop(unit_id, None)

    def _ask(self, unit_id: str) -> None:
        in_order = self._in_order()
        at = in_order.index(unit_id)
        self._told, self._told_at = {}, time.monotonic()
        try:
            self._told = self._read([*in_order[at:], *in_order[:at]][:REPOSITORIES_PER_REQUEST])
        except (SourceError, NotAsDocumented):
            self._names = {}

    def _in_order(self) -> list[str]:
        """The units that are expected, as they will be asked for."""
        return list(self._names)

    @abstractmethod
    def _read(self, batch: Sequence[str]) -> dict[str, Head]:
        """The heads of these, by their ids, as far as they are told. Raises SourceError and NotAsDocumented."""
