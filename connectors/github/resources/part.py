"""What is read of a repository, part by part, each with its own way to find what has changed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from connectors.contract import Failed, Item, ListingEntry, PartState, Window
from connectors.errors import SourceError
from connectors.github.cursor import RepositoryCursor
from connectors.github.repository import Repository
from connectors.sampling import NoneFound
from connectors.source_parts import Part, state_of


class RepositoryPart(ABC):
    """One part in one read; `trouble` is what has ended it, and `none_found` that its listing shows several objects of
    which none is found, which ends nothing. Every method may raise SourceError.

    `kinds` are the kinds of document ids that belong to it. The trouble of its objects is judged by itself.
    """

    part: ClassVar[Part]
    kinds: ClassVar[tuple[str, ...]]

    def __init__(self, repository: Repository) -> None:
        self.repository = repository.apart()
        self.documents = repository.documents
        self.trouble: SourceError | None = None
        self.none_found: NoneFound | None = None
        self._was_refused = False

    @property
    def state(self) -> PartState:
        """Of what a listing shows that is not found, it tells all the same what is gone."""
        unlisted = [self.documents.id_prefix(kind) for kind in self.kinds] if self.trouble else ()
        return state_of(self.part, self.trouble or self.none_found, unlisted)

    @abstractmethod
    def probe(self) -> str | None:
        """A few requests that tell whether the part may be read, on one of its objects where reading these takes more
        than the listing. Returns what people should know of the answer, if anything. Raises NoneFound as well."""

    def verify(self) -> None:
        """As `probe`, but keeps in `none_found` what ends nothing."""
        self.none_found = None
        try:
            self.probe()
        except NoneFound as error:
            self.none_found = error if error.is_of_part else None

    def checked(self, item: Item) -> Item:
        """An item. Raises SourceError where it failed because the part is refused as a whole, which is asked once."""
        if isinstance(item, Failed) and not item.is_transient and not self._was_refused:
            self._was_refused = True
            self.verify()
        return item

    @abstractmethod
    def read_changes(self, cursor: RepositoryCursor, window: Window | None) -> Iterator[Item]:
        """What has changed since `cursor`, which is moved forward; or what was last updated in `window`."""

    @abstractmethod
    def entries(self) -> Iterator[ListingEntry]:
        """Names all that there is."""

    @abstractmethod
    def fetch(self, kind: str, name: str) -> Item | None:
        """One object by what its id says; None if there is no such object. Raises NotAsDocumented as well."""
