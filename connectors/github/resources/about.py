"""What a repository says of itself: its description, its topics, and the properties that its organisation has defined.

All of it comes with the repository, which every read asks for.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract import Deleted, Item, ListingEntry
from connectors.github.cursor import RepositoryCursor
from connectors.github.repository import Repository


class AboutResource:
    def __init__(self, repository: Repository) -> None:
        self._documents = repository.documents
        self._document = repository.documents.about(repository.payload)

    def read_changes(self, cursor: RepositoryCursor) -> Iterator[Item]:
        version = self._document.version if self._document else ""
        if version != cursor.about:
            yield self.fetch()
            cursor.about = version

    def entries(self) -> Iterator[ListingEntry]:
        if self._document:
            yield ListingEntry(self._document.id, self._document.title, None, self._document.fingerprint)

    def fetch(self) -> Item:
        return self._document or Deleted(self._documents.about_id)
