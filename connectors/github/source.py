"""GitHub as a connector: a repository is a unit; issues, pull requests and text files are its documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TypeVar
from urllib.parse import quote

import httpx

from connectors.connection import GitHubConnection
from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    TransientError,
)
from connectors.github import access, render
from connectors.github.client import Blob, GitHubClient, Payload, Tree, moment
from connectors.github.files import decoded, media_type, unread, unusable
from connectors.github.progress import Progress, version
from connectors.github.units import repositories
from connectors.model import (
    MARKDOWN,
    PLAIN_TEXT,
    Checkpoint,
    Cursor,
    Deleted,
    Document,
    Failed,
    Finding,
    Item,
    Membership,
    Parent,
    Skipped,
    Unit,
    Window,
)

T = TypeVar("T")

FILES_PER_CHECKPOINT = 100
FAILURES_IN_A_ROW = 3
"""So many objects that the server does not answer for, one after the other, are trouble with the server."""
GIT_IS_EMPTY = 409


def connect(connection: GitHubConnection, transport: httpx.BaseTransport | None = None) -> GitHubConnector:
    """Open a connection; nothing is sent yet. `transport` replaces the network."""
    return GitHubConnector(connection, GitHubClient(connection, transport))


class GitHubConnector:
    """Reads the repositories that a token reaches. See `connectors.model.Connector`."""

    def __init__(self, connection: GitHubConnection, client: GitHubClient) -> None:
        self._connection = connection
        self._client = client

    @property
    def requests(self) -> int:
        return self._client.requests

    def close(self) -> None:
        self._client.close()

    def check(self) -> list[Finding]:
        """Who the token is, what it may do, and how many repositories it reaches."""
        try:
            findings = [self._credentials()]
            count = sum(1 for _ in self.units())
        except SourceError as error:
            return [Finding("credentials", False, str(error))]
        advice = "" if count else "; give the token access to repositories, or check `include` and `exclude`"
        return [*findings, Finding("repositories", count > 0, f"{count} in reach{advice}")]

    def units(self) -> Iterator[Unit]:
        for payload in repositories(self._client, self._connection):
            name = str(payload["full_name"])
            yield Unit(name, name, str(payload.get("html_url") or ""))

    def memberships(self) -> Iterator[Membership]:
        private = [
            str(payload["full_name"])
            for payload in repositories(self._client, self._connection)
            if not access.is_public(payload)
        ]
        return access.memberships(self._client, self._connection.emails, private)

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        """Issues and pull requests by their last update, then files. See `Connector.read`.

        Without access to one of both, the other is read all the same, and the error raised at the end.
        """
        reading = _Reading(self._connection.id, self._client, unit, None if window else cursor)
        window = window or Window()
        troubles: list[SourceError] = []
        for part in (reading.discussions, reading.files):
            try:
                for item in part(window):
                    if window == Window() or not isinstance(item, Checkpoint):
                        yield item
            except (AccessDenied, NotFound) as trouble:
                troubles.append(trouble)
        if troubles:
            raise troubles[0]
        if window == Window():
            yield Checkpoint(reading.progress.cursor(), complete=not cursor)
        else:
            yield Checkpoint(cursor or {})

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        if document_ids:
            yield from _Reading(self._connection.id, self._client, unit, None).again(document_ids)

    def _credentials(self) -> Finding:
        """The person behind a token; an installation's token has none, and the rate limit is open to every token."""
        try:
            name = str(self._client.get("user").get("login"))
        except (AccessDenied, NotFound):
            name = "an app or service token"
        try:
            scopes = self._client.headers("rate_limit").get("x-oauth-scopes")
        except NotFound:  # GitHub Enterprise Server without rate limits
            scopes = None
        rights = "permissions as granted to the token" if scopes is None else f"scopes: {scopes or 'none'}"
        return Finding("credentials", True, f"{name}, {rights}")


class _Reading:
    """One read of one repository."""

    def __init__(self, connection: str, client: GitHubClient, unit: Unit, cursor: Cursor | None) -> None:
        self._client = client
        self._unit = unit
        self._connection = connection
        self._root = f"github:{connection}/{unit.id}"
        self._repository = client.repository(unit.id)
        self._readers = access.readers(connection, unit.id, self._repository)
        self._branch = str(self._repository.get("default_branch") or "main")
        self._unanswered = 0
        self._has_history = True
        self.progress = Progress.resumed(cursor, self._readers, self._branch)

    def discussions(self, window: Window) -> Iterator[Item]:
        """Issues and pull requests that changed, with a checkpoint a page while the server lists them in order."""
        in_order = True
        for page in self._pages(window):
            for payload in page:
                updated = moment(payload.get("updated_at"))
                newest = self.progress.since
                in_order = in_order and (newest is None or updated is None or updated >= newest - _SAME_PAGE)
                number = int(payload["number"])
                if updated not in window or not self.progress.is_new(number, updated):
                    continue
                read_at = datetime.now(UTC)
                yield self._discussion(payload)
                self.progress.emitted(number, updated, read_at)
            self.progress.forget_settled()
            if in_order:
                yield Checkpoint(self.progress.cursor())
