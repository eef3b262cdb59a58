"""What is read of a repository, each kind with its own way to find what has changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from connectors.contract import Item, ListingEntry, Window
from connectors.github.cursor import RepositoryCursor


class RepositoryResource(Protocol):
    """Every method may raise SourceError."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of document ids that belong to it."""

    def read_changes(self, cursor: RepositoryCursor, window: Window | None) -> Iterator[Item]:
        """What has changed since `cursor`, which is moved forward; or what was last updated in `window`."""

    def entries(self) -> Iterator[ListingEntry]:
        """Names all that there is."""

    def fetch(self, kind: str, name: str) -> Item | None:
        """One object by what its id says; None if there is no such object. Raises NotAsDocumented as well."""
