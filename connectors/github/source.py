"""GitHub as a connector: a repository is a unit; issues, pull requests, discussions, releases, text files and pages of
its wiki are its documents."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import httpx

from connectors.contract import (
    Account,
    AnswerCache,
    Checkpoint,
    Cursor,
    Deleted,
    Finding,
    Item,
    ListingEntry,
    MembershipCache,
    MembershipItem,
    PartState,
    Window,
    id_prefix,
)
from connectors.errors import AccessDenied, NotFound, SourceError, UnreadableUnits
from connectors.github import access
from connectors.github.activity_heads import ActivityHeads
from connectors.github.carriers import find_carriers
from connectors.github.checks import check_parts
from connectors.github.client import GitHubClient
from connectors.github.collaborator_batches import CollaboratorBatches
from connectors.github.cursor import as_read
from connectors.github.discussion_heads import DiscussionHeads
from connectors.github.part_table import COLLABORATORS
from connectors.github.payloads.rest import GitHubAccount, GitHubRepository
from connectors.github.reader import RepositoryReader
from connectors.github.settings import GitHubConnection
from connectors.github.units import RepositorySearch, repositories
from connectors.model import Unit
from connectors.source_parts import state_of


def connect(connection: GitHubConnection, transport: httpx.BaseTransport | None = None) -> GitHubConnector:
    """Open a connection; nothing is sent yet. `transport` replaces the network."""
    kind = AppConnector if connection.app_id else GitHubConnector
    return kind(connection, GitHubClient(connection, transport))


class GitHubConnector:
    """Reads the repositories that a token reaches. See `connectors.contract.Connector`."""

    def __init__(self, connection: GitHubConnection, client: GitHubClient) -> None:
        self._connection = connection
        self._client = client
        self._collaborators: dict[str, PartState] = {}
        self._heads = DiscussionHeads(client)
        self._known = self._known_by_settings()
        self._answers: AnswerCache | None = None

    @property
    def requests(self) -> int:
        return self._client.requests

    def close(self) -> None:
        self._client.close()

    def check(self) -> list[Finding]:
        """Who the token is, what it may do, how many repositories it reaches, and which parts of them."""
        findings: list[Finding] = []
        reached: list[GitHubRepository] = []
        steps: tuple[tuple[str, Callable[[], Iterable[Finding]]], ...] = (
            ("credentials", lambda: [self._check_credentials()]),
            ("repositories", lambda: [self._check_reach(reached)]),
            ("parts", lambda: check_parts(self._client, reached, lambda one: self._open(self._unit(one)))),
        )
        for subject, step in steps:
            try:
                findings.extend(step())
            except SourceError as error:
                return [*findings, Finding(subject, False, str(error))]
        return findings

    def keep_answers(self, cache: AnswerCache) -> None:
        """See `connectors.contract.KeepsAnswers`."""
        self._answers = cache

    def units(self) -> Iterator[Unit]:
        self._heads.forget()
        for repository in self._repositories():
            self._heads.expect(repository)
            yield self._unit(repository)

    def memberships(self) -> Iterator[MembershipItem]:
        return self._memberships(None)

    def cached_memberships(self, cache: MembershipCache) -> Iterator[MembershipItem]:
        """See `CachedMemberships.cached_memberships`."""
        return self._memberships(cache)

    def accounts(self) -> Iterator[Account]:
        """See `TellsAccounts.accounts`: collaborators of private repositories, and those whom the settings name."""
        return self._known.accounts()

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        """Issues and pull requests, discussions, releases, files, then the wiki. See `Connector.read`."""
        yield from self._open(unit, cursor).read_changes(cursor, window)

    def listing(self, unit: Unit) -> Iterator[ListingEntry | PartState]:
        yield from self._open(unit).entries()

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        if document_ids:
            yield from self._open(unit).fetch(document_ids)

    def find_dependents(
        self, document_ids: Collection[str], cursors: Mapping[str, Cursor]
    ) -> Mapping[str, Collection[str]]:
        """See `Dependents.find_dependents`: what shows labels and milestones."""
        return find_carriers(self._client, self._connection.id, document_ids, cursors.keys())

    def unit_of(self, document_id: str) -> str | None:
        """An id names its repository: an object that has moved to another one has another id there."""
        prefix = id_prefix("github", self._connection.id)
        unit_id = document_id.removeprefix(prefix).partition("/")[0]
        listed = self.units() if document_id.startswith(prefix) and unit_id.isdecimal() else ()
        unit = next((one for one in listed if one.id == unit_id), None)
        if unit is None:
            return None
        try:
            gone = any(isinstance(item, Deleted) for item in self.fetch(unit, [document_id]))
        except (AccessDenied, NotFound):
            return None
        return None if gone else unit_id

    def _repositories(self) -> Iterator[GitHubRepository]:
        return repositories(self._client, self._connection, self._answers)

    def _unit(self, repository: GitHubRepository) -> Unit:
        readers = access.reader_tokens(self._connection.id, repository)
        return Unit(repository.unit_id, repository.full_name, repository.html_url, readers)

    def _open(self, unit: Unit, cursor: Cursor | None = None, activity: str = "") -> RepositoryReader:
        known = self._known_states(unit)
        return RepositoryReader(
            self._client, self._connection, unit, self._heads, known=known, cursor=cursor, activity=activity
        )

    def _known_states(self, unit: Unit) -> list[PartState]:
        """Of the parts that are read elsewhere."""
        found = self._collaborators.get(unit.id)
        return [found] if found else []

    def _memberships(self, cache: MembershipCache | None) -> Iterator[MembershipItem]:
        found, self._known = self._repositories(), self._known_by_settings()
        note, batches = self._note_collaborators, self._collaborator_batches()
        return access.memberships(self._client, self._known, found, note, cache, batches)

    def _collaborator_batches(self) -> CollaboratorBatches | None:
        """None where each repository is asked for what has changed."""
        return None

    def _known_by_settings(self) -> access.KnownAddresses:
        return access.KnownAddresses.of_settings(self._connection.emails)

    def _note_collaborators(self, unit_id: str, trouble: SourceError | None) -> None:
        """They are read with the memberships, and told with the parts that the next read of the unit asks for."""
        self._collaborators[unit_id] = state_of(COLLABORATORS, trouble)

    def _check_credentials(self) -> Finding:
        """The person behind a token; an installation's token has none, and the rate limit is open to every token."""
        try:
            name = self._client.get(GitHubAccount, "user").login
        except (AccessDenied, NotFound):
            name = "an app or service token"
        try:
            scopes = self._client.headers("rate_limit").get("x-oauth-scopes")
        except NotFound:  # GitHub Enterprise Server without rate limits
            scopes = None
        rights = "permissions as granted to the token" if scopes is None else f"scopes: {scopes or 'none'}"
        return Finding("credentials", True, f"{name}, {rights}")

    def _check_reach(self, reached: list[GitHubRepository]) -> Finding:
        """Adds to `reached` what is in reach."""
        search, untold = RepositorySearch(self._client, self._connection), ""
        try:
            reached.extend(search.run())
        except UnreadableUnits as error:
            untold = f"; {error}"
        advice = "" if reached else "; give the token access to repositories, or check `include` and `exclude`"
        nothing = f"; nothing is found for {', '.join(search.unmatched)}" if search.unmatched else ""
        is_well = bool(reached) and not (untold or nothing)
        return Finding("repositories", is_well, f"{len(reached)} in reach{advice}{nothing}{untold}")


class AppConnector(GitHubConnector):
    """Reads what an app is installed on. Each run has a token of its own, for which no answer is as before: where to a
    person's token GitHub says that nothing changed, each look would count. So of many repositories at once it is asked
    what happened last in them, and who belongs to them."""

    def __init__(self, connection: GitHubConnection, client: GitHubClient) -> None:
        super().__init__(connection, client)
        self._activity = ActivityHeads(client)
        self._leaves_quiet = False

    def keep_answers(self, cache: AnswerCache) -> None:
        """Nothing: its next token would be told all of it again."""

    def look_ahead(self, units: Collection[Unit], *, scheduled: bool) -> None:
        """See `connectors.contract.LooksAhead`."""
        self._activity.expect(units)
        self._leaves_quiet = scheduled

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        """As `GitHubConnector.read`; for a schedule, nothing of a quiet repository in which nothing has happened."""
        head = None if window else self._activity.take(unit.id)
        activity = head.digest if head else ""
        if cursor and activity and self._leaves_quiet and self._is_as_before(cursor, activity):
            yield from self._known_states(unit)
            yield Checkpoint(cursor)
            return
        yield from self._open(unit, cursor, activity).read_changes(cursor, window)

    def _is_as_before(self, cursor: Cursor, activity: str) -> bool:
        found = as_read(cursor)
        return found.patterns == self._connection.files and found.is_as_before(activity, datetime.now(UTC))

    def _collaborator_batches(self) -> CollaboratorBatches:
        return CollaboratorBatches(self._client)
