"""One read of one repository: its resources, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from connectors.contract import Checkpoint, Cursor, Deleted, Item, ListingEntry, Window
from connectors.errors import RateLimited, SourceError
from connectors.github.client import GitHubClient
from connectors.github.cursor import RepositoryCursor
from connectors.github.repository import open_repository
from connectors.github.resources import RepositoryResource
from connectors.github.resources.discussions import DiscussionResource
from connectors.github.resources.files import FileResource
from connectors.github.resources.issues import IssueResource
from connectors.github.resources.releases import ReleaseResource
from connectors.github.settings import GitHubConnection
from connectors.model import Unit


class RepositoryReader:
    """Asks for the repository itself when it is made. Raises SourceError."""

    def __init__(self, client: GitHubClient, connection: GitHubConnection, unit: Unit) -> None:
        self._repository = open_repository(client, connection, unit)
        self._patterns = connection.files
        self._resources: tuple[RepositoryResource, ...] = (
            IssueResource(self._repository),
            DiscussionResource(self._repository),
            ReleaseResource(self._repository),
            FileResource(self._repository),
        )

    def read_changes(self, cursor: Cursor | None, window: Window | None) -> Iterator[Item]:
        """What has changed in all resources. Where one cannot be read the others are, and the error is raised then."""
        progress = self._resume(None if window else cursor)
        troubles: list[SourceError] = []
        for resource in self._resources:
            try:
                yield from resource.read_changes(progress, window)
            except RateLimited:
                raise
            except SourceError as trouble:
                if self._repository.isolation.is_exhausted:  # the server is down, for the other resources too
                    raise
                troubles.append(trouble)
        if troubles:
            raise troubles[0]
        yield Checkpoint(cursor or {}) if window else Checkpoint(progress.to_json(), complete=not cursor)

    def entries(self) -> Iterator[ListingEntry]:
        for resource in self._resources:
            yield from resource.entries()

    def fetch(self, document_ids: Sequence[str]) -> Iterator[Item]:
        """One item for each id, `Deleted` for what is gone or was never an id of this repository."""
        resources = {kind: resource for resource in self._resources for kind in resource.kinds}
        for document_id in document_ids:
            kind, name = self._repository.documents.parse_id(document_id)
            resource = resources.get(kind)
            item = (
                self._repository.attempt(document_id, name, partial(resource.fetch, kind, name)) if resource else None
            )
            yield item or Deleted(document_id)

    def _resume(self, cursor: Cursor | None) -> RepositoryCursor:
        branch = self._repository.documents.branch
        return RepositoryCursor.resume(cursor, branch, self._patterns, self._repository.read_at)
