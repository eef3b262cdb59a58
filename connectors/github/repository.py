"""A repository that is being read, and how the trouble of one of its objects stays with that object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

from connectors.contract import Deleted, Item
from connectors.errors import REFUSALS, Blocked, Gone, NotFound
from connectors.github.access import reader_tokens
from connectors.github.client import GitHubClient
from connectors.github.documents import RepositoryDocuments
from connectors.github.file_rules import FileRules
from connectors.github.payloads.kept import KeptRepository
from connectors.github.payloads.rest import GitHubRepository
from connectors.github.responses import DescribedRepository
from connectors.github.settings import GitHubConnection
from connectors.isolation import Isolation
from connectors.model import Unit


@dataclass(frozen=True, slots=True)
class Repository:
    """`payload` is GitHub's description of it at `read_at`, by the server's clock; `kept` is what to keep of it."""

    client: GitHubClient
    name: str
    payload: GitHubRepository
    documents: RepositoryDocuments
    rules: FileRules
    read_at: datetime
    kept: KeptRepository | None
    isolation: Isolation

    def apart(self) -> Repository:
        """The same, for a part that is read by itself: what fails in others says nothing of it."""
        return replace(self, isolation=Isolation(lambda: self.client.requests))

    @property
    def path(self) -> str:
        return f"repos/{quote(self.name)}"

    @property
    def has_issues(self) -> bool:
        """Whether they are switched on; taken for granted where the server does not tell."""
        return self.payload.has_issues is not False

    @property
    def has_discussions(self) -> bool:
        return self.payload.has_discussions is not False

    @property
    def has_wiki(self) -> bool:
        """Whether it is switched on, which every server tells that has wikis in git."""
        return self.payload.has_wiki is True

    def attempt(self, document_id: str, title: str, read: Callable[[], Item | None]) -> Item | None:
        """What `read` returns; `Deleted` where the object is not found, `Failed` where it cannot be read."""
        return self._attempt(document_id, title, read, gone=NotFound)

    def attempt_shown(self, document_id: str, title: str, read: Callable[[], Item | None]) -> Item | None:
        """As `attempt`, of an object that a listing shows: that it is not found does not make it gone, but `Failed`."""
        return self._attempt(document_id, title, read, gone=Blocked)

    def _attempt(
        self, document_id: str, title: str, read: Callable[[], Item | None], gone: type[NotFound]
    ) -> Item | None:
        def read_or_deleted() -> Item | None:
            try:
                return read()
            except gone as error:
                return Deleted(document_id, is_unfound=not isinstance(error, Gone | Blocked))

        return self.isolation.attempt(document_id, title, read_or_deleted)


def open_repository(
    client: GitHubClient, connection: GitHubConnection, unit: Unit, kept: KeptRepository | None = None
) -> Repository:
    """`kept` is what was kept of it the last time. Raises SourceError: NotFound where this very repository is found
    under no name."""
    found = _find(client, unit, kept)
    payload = found.payload
    name = payload.full_name or unit.name
    documents = RepositoryDocuments(
        connection=connection.id,
        unit=unit.id,
        name=name,
        url=payload.html_url or unit.url,
        branch=payload.default_branch or "main",
        readers=reader_tokens(connection.id, payload),
    )
    isolation = Isolation(lambda: client.requests)
    rules = FileRules(connection.files)
    return Repository(client, name, payload, documents, rules, found.read_at, found.kept, isolation)


def _find(client: GitHubClient, unit: Unit, kept: KeptRepository | None) -> DescribedRepository:
    """The repository by its name, which GitHub redirects after a renaming; by its id once another has that name."""
    try:
        found = client.repository(unit.name, kept)
    except NotFound as error:
        missing = error
    else:
        if found.payload.unit_id == unit.id:
            return found
        owner = found.payload.unit_id or "one without an id"
        missing = NotFound(f"repository {unit.id}, whose name {unit.name} now belongs to another ({owner}),")
    if renamed := _find_renamed(client, unit):
        return renamed
    raise missing


def _find_renamed(client: GitHubClient, unit: Unit) -> DescribedRepository | None:
    try:
        found = client.repository_by_id(unit.id)
    except REFUSALS:  # also by a server that has no such place
        return None
    # Under the name that was asked for just now, the two answers contradict each other.
    payload = found.payload
    is_renamed = payload.unit_id == unit.id and payload.full_name.lower() not in ("", unit.name.lower())
    return found if is_renamed else None
