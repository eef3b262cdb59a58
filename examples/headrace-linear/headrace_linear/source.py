"""Linear as a connector: a team is a unit; its issues are the documents, with their comments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import httpx

from connectors.contract import Connector, Cursor, Finding, Item, ListingEntry, Membership, Window
from connectors.errors import NotFound, SourceError
from connectors.isolation import Isolation
from connectors.model import Unit
from headrace_linear.access import read_memberships, team_readers
from headrace_linear.client import LinearClient
from headrace_linear.cursor import LinearCursor
from headrace_linear.documents import LinearDocuments, issue_id
from headrace_linear.payloads import LinearTeam
from headrace_linear.reader import IssueReader
from headrace_linear.settings import LinearConnection


def connect(connection: LinearConnection, transport: httpx.BaseTransport | None = None) -> Connector:
    """Open a connection; nothing is sent yet. `transport` replaces the network."""
    return LinearConnector(connection, LinearClient(connection, transport))


class LinearConnector:
    """Reads the teams that a key reaches. See `connectors.contract.Connector`."""

    def __init__(self, connection: LinearConnection, client: LinearClient) -> None:
        self._connection = connection
        self._client = client

    @property
    def requests(self) -> int:
        return self._client.requests

    def close(self) -> None:
        self._client.close()

    def check(self) -> list[Finding]:
        """Whose key it is, and how many teams it reaches."""
        try:
            found = self._client.viewer()
            credentials = Finding("credentials", True, f"{found.viewer.name} of {found.organization.name}")
            count = sum(1 for _ in self._teams())
        except SourceError as error:
            return [Finding("credentials", False, str(error))]
        advice = "" if count else "; check the key's teams, `include` and `exclude`"
        return [credentials, Finding("teams", count > 0, f"{count} in reach{advice}")]

    def units(self) -> Iterator[Unit]:
        for team in self._teams():
            yield Unit(team.id, team.name, readers=team_readers(self._connection.id, team))

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        reader = IssueReader(self._documents(unit))
        if window:
            return reader.window(window)
        parsed = LinearCursor.parse(cursor)
        return reader.changes(parsed) if parsed.since else reader.everything(parsed)

    def listing(self, unit: Unit) -> Iterator[ListingEntry]:
        return IssueReader(self._documents(unit)).entries()

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        return map(self._documents(unit).fetch, document_ids)

    def unit_of(self, document_id: str) -> str | None:
        own = issue_id(self._connection.id, document_id)
        if own is None:
            return None
        try:
            issue = self._client.issue(own)
        except NotFound:
            return None
        teams = {team.id for team in self._teams()}
        return issue.team.id if issue.team and issue.team.id in teams and not issue.is_gone else None

    def memberships(self) -> Iterator[Membership]:
        return read_memberships(self._client, self._teams())

    def _teams(self) -> Iterator[LinearTeam]:
        for team in self._client.teams():
            if self._connection.includes(team.id, team.key, team.name):
                yield team

    def _documents(self, unit: Unit) -> LinearDocuments:
        return LinearDocuments(self._connection.id, self._client, unit, Isolation(lambda: self.requests))
