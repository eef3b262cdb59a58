"""The parts of a repository that are read, each with its own way to find what has changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from connectors.contract import Item, ListingEntry, Window
from connectors.github.cursor import Progress


class Part(Protocol):
    """Every method may raise SourceError."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of document ids that belong to it."""

    def changed(self, progress: Progress, window: Window | None) -> Iterator[Item]:
        """What has changed since `progress`, which is moved forward; or what was last updated in `window`."""

    def listed(self) -> Iterator[ListingEntry]:
        """Names of all that the part has."""

    def again(self, kind: str, name: str) -> Item | None:
        """One object by what its id says; None if there is no such object."""
