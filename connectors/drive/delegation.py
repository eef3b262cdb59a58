"""The My Drives of many people, by domain-wide delegation, and the shared drives of an administrator.

A person's unit is what they own: so a file that several people have is read once, where its owner has it, and files
that people outside of the organisation own are not read. Who may read a file, its permissions say, as everywhere.

Source: https://developers.google.com/identity/protocols/oauth2/service-account#delegatingauthority
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import httpx

from connectors.contract import (
    ChangeItem,
    Checkpoint,
    Cursor,
    Finding,
    FindLanded,
    Item,
    ListingEntry,
    MembershipCache,
    MembershipItem,
    PartState,
    RightsItem,
    Window,
    id_prefix,
)
from connectors.drive.account import DriveConnector
from connectors.drive.credentials import SCOPE, Authorization
from connectors.drive.directory import GoogleDirectory, Person
from connectors.drive.part_table import DIRECTORY, PARTS_BY_NAME
from connectors.drive.push_channels import ChannelState
from connectors.drive.settings import DriveConnection
from connectors.errors import (
    REFUSALS,
    AccessDenied,
    AuthenticationFailed,
    ListingGap,
    NotFound,
    SourceError,
    UnreadableUnit,
    UnreadableUnits,
)
from connectors.model import Unit
from connectors.source_parts import listing_gap

_OPEN_AT_ONCE = 8
"""People whose connectors are kept open; tokens are kept for all."""


class DelegatedConnector:
    """See `connectors.contract.Connector`. All people's requests meet one limit, that of the key."""

    def __init__(self, connection: DriveConnection, transport: httpx.BaseTransport | None = None) -> None:
        assert connection.directory_url  # noqa: S101 - the settings have looked
        self._connection = connection
        self._transport = transport
        self._shared = DriveConnector(connection, transport, only_shared=True)
        self._directory = GoogleDirectory(connection, connection.directory_url, transport)
        self._people: dict[str, Person] | None = None
        self._tokens: dict[str, Authorization] = {}
        self._open: OrderedDict[str, DriveConnector] = OrderedDict()
        self._sent_by_closed = 0

    @property
    def requests(self) -> int:
        connectors = (self._shared, *self._open.values())
        return self._sent_by_closed + self._directory.requests + sum(one.requests for one in connectors)

    def close(self) -> None:
        for connector in (self._shared, *self._open.values()):
            connector.close()
        for token in self._tokens.values():
            token.close()
        self._directory.close()

    def check(self) -> list[Finding]:
        """As of one account, and whether the first person's drive can be opened."""
        findings = self._shared.check()
        try:
            people = self._list_people()
        except SourceError as error:
            part = PARTS_BY_NAME[DIRECTORY]
            return [*findings, Finding("people", False, str(error), part.lost, part.permission)]
        able = [person for person in people.values() if not person.obstacle]
        if not able:
            return [*findings, Finding("people", False, f"`subjects` is {self._connection.subjects}: nobody")]
        first, *_ = self._connector_of(able[0].id).check()
        return [*findings, Finding("people", first.ok, f"{len(able)} people; the first one: {first.detail}")]

    def units(self) -> Iterator[Unit]:
        """Shared drives, and each person as a unit. Raises UnreadableUnits after all others."""
        unreadable: list[UnreadableUnit] = []
        gaps: list[ListingGap] = []
        try:
            yield from self._shared.units()
        except UnreadableUnits as error:
            unreadable, gaps = [*error.units], [*error.gaps]
        try:
            people = self._list_people()
        except (AuthenticationFailed, *REFUSALS) as error:  # no token for its scopes, where there is one for Drive
            people = {}
            gaps.append(listing_gap(PARTS_BY_NAME[DIRECTORY], error))
        for person in people.values():
            if not self._connection.includes(person.id, person.email):
                continue
            if person.obstacle:
                reason = f"the person is {person.obstacle}, so that their drive cannot be opened"
                unreadable.append(UnreadableUnit(person.id, reason, is_refused=True))
            else:
                yield Unit(person.id, person.email, "https://drive.google.com/drive/my-drive")
        if unreadable or gaps:
            raise UnreadableUnits(unreadable, gaps)

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        with self._as(unit.id) as connector:
            yield from connector.read(unit, cursor, window)

    def read_changes(self, unit: Unit, cursor: Cursor, find_landed: FindLanded) -> Iterator[ChangeItem]:
        """See `connectors.contract.ComparesContents`."""
        with self._as(unit.id) as connector:
            yield from connector.read_changes(unit, cursor, find_landed)

    def read_rights(self, unit: Unit, cursor: Cursor | None = None) -> Iterator[RightsItem | Checkpoint]:
        """See `connectors.contract.RightsFeed`."""
        with self._as(unit.id) as connector:
            yield from connector.read_rights(unit, cursor)

    def listing(self, unit: Unit) -> Iterator[ListingEntry | PartState]:
        with self._as(unit.id) as connector:
            yield from connector.listing(unit)

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        with self._as(unit.id) as connector:
            yield from connector.fetch(unit, document_ids)

    def unit_of(self, document_id: str) -> str | None:
        """See `Connector.unit_of`: the id of a person's file begins with the person's."""
        owner, _, rest = document_id.removeprefix(id_prefix("drive", self._connection.id)).partition("/")
        if not rest or owner not in self._known_people():
            return self._shared.unit_of(document_id)
        with self._as(owner) as connector:
            return connector.unit_of(document_id)

    def memberships(self) -> Iterator[MembershipItem]:
        return self._shared.memberships()

    def cached_memberships(self, cache: MembershipCache) -> Iterator[MembershipItem]:
        return self._shared.cached_memberships(cache)

    def renew_channels(self, state: ChannelState, now: datetime) -> ChannelState:
        """See `connectors.contract.PushChannels`: of shared drives. For people's own files the schedule looks."""
        return self._shared.renew_channels(state, now)

    def _list_people(self) -> dict[str, Person]:
        assert self._connection.subjects  # noqa: S101 - it is what this connector is for
        people = {person.id: person for person in self._directory.people(self._connection.subjects)}
        self._people = people
        return people

    def _known_people(self) -> dict[str, Person]:
        return self._list_people() if self._people is None else self._people

    @contextmanager
    def _as(self, unit: str) -> Iterator[DriveConnector]:
        """The connector of a unit. Raises AccessDenied for a person's drive that cannot be opened: that is its own
        trouble."""
        if unit not in self._known_people():
            yield self._shared
            return
        try:
            yield self._connector_of(unit)
        except AuthenticationFailed as error:
            raise AccessDenied(self._known_people()[unit].email, f"their drive cannot be opened: {error}") from error

    def _connector_of(self, own: str) -> DriveConnector:
        """Raises NotFound for who is no more among the people."""
        person = self._known_people().get(own)
        if person is None:
            raise NotFound(own)
        if own not in self._open:
            acting = self._connection.model_copy(update={"subject": person.email, "subjects": None})
            token = self._tokens.setdefault(own, Authorization(acting, SCOPE, transport=self._transport))
            self._open[own] = DriveConnector(acting, self._transport, owner=person, authorization=token)
            if len(self._open) > _OPEN_AT_ONCE:
                _, oldest = self._open.popitem(last=False)
                self._sent_by_closed += oldest.requests
                oldest.close()
        self._open.move_to_end(own)
        return self._open[own]
