"""One look at one repository: its parts, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.contract import Checkpoint, Cursor, Deleted, Item, ListingEntry, Window
from connectors.errors import RateLimited, SourceError
from connectors.github.client import GitHubClient
from connectors.github.cursor import Progress
from connectors.github.repository import opened
from connectors.github.resources import Part
from connectors.github.resources.discussions import Discussions
from connectors.github.resources.files import Files
from connectors.github.resources.issues import Issues
from connectors.github.resources.releases import Releases
from connectors.github.settings import GitHubConnection
from connectors.model import Unit


class Reading:
    """Sends a request for the repository itself when it is made. Raises SourceError."""

    def __init__(self, client: GitHubClient, connection: GitHubConnection, unit: Unit) -> None:
        self._repository = opened(client, connection, unit)
        self._patterns = connection.files
        self._parts: tuple[Part, ...] = (
            Issues(self._repository),
            Discussions(self._repository),
            Releases(self._repository),
            Files(self._repository),
        )

    def changed(self, cursor: Cursor | None, window: Window | None) -> Iterator[Item]:
        """What has changed in all parts. Where one cannot be read, the others are, and the error is raised then."""
        make = self._repository.make
        progress = Progress.resumed(
            None if window else cursor, make.readers, make.branch, self._patterns, self._repository.read_at
        )
        troubles: list[SourceError] = []
        for part in self._parts:
            try:
                yield from part.changed(progress, window)
            except RateLimited:
                raise
            except SourceError as trouble:
                troubles.append(trouble)
        if troubles:
            raise troubles[0]
        if window:
            yield Checkpoint(cursor or {})
        else:
            yield Checkpoint(progress.cursor(), complete=not cursor)

    def listed(self) -> Iterator[ListingEntry]:
        for part in self._parts:
            yield from part.listed()

    def again(self, document_ids: Sequence[str]) -> Iterator[Item]:
        """One item for each id, `Deleted` for what is gone or was never an id of this repository."""
        parts = {kind: part for part in self._parts for kind in part.kinds}
        for document_id in document_ids:
            kind, name = self._repository.make.parsed_id(document_id)
            yield self._again(parts.get(kind), kind, name, document_id) or Deleted(document_id)

    def _again(self, part: Part | None, kind: str, name: str, document_id: str) -> Item | None:
        return self._repository.guard(document_id, name, lambda: part.again(kind, name)) if part else None
