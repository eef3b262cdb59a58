"""Who belongs to the groups of a Google Workspace, by Google's Directory API.

Drive names groups without their members. The Directory API gives them, to an administrator's delegate with the scope
below: without `directory_url` it is not asked, and then nobody sees a file through a group. The directory and Drive
have each an id of their own for a group, that no other group ever gets. Its address leads from one to the other: what
holds it at the time of asking, not what held it when a file was read.

Source: https://developers.google.com/workspace/admin/directory/reference/rest/v1/members/list
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

import httpx

from connectors.addresses import find_address
from connectors.contract import EmptyGroup, GroupName, Membership, MembershipCache, MembershipItem, UnreadableGroup
from connectors.drive.access import domain_members, domain_of_address
from connectors.drive.client import open_api
from connectors.drive.credentials import Authorization
from connectors.drive.part_table import DIRECTORY, PARTS_BY_NAME
from connectors.drive.payloads import DirectoryGroup, DirectoryGroupPage, DirectoryMemberPage, DirectoryUserPage
from connectors.drive.responses import follow_pages, parser
from connectors.drive.settings import DriveConnection
from connectors.errors import REFUSALS, AuthenticationFailed, ListingGap, NotFound, SourceError, UnreadableUnits
from connectors.groups import GroupReads

SCOPE = "https://www.googleapis.com/auth/admin.directory.group.readonly"
PEOPLE_SCOPE = "https://www.googleapis.com/auth/admin.directory.user.readonly"
PER_PAGE = 200

ALL_PEOPLE = "all"
PermissionIdOf: TypeAlias = Callable[[str], str]
"""What stands in Drive's permissions for whoever has an address now. Raises SourceError."""
Page = TypeVar("Page", DirectoryGroupPage, DirectoryMemberPage, DirectoryUserPage)


@dataclass(frozen=True, slots=True)
class Person:
    """One of the organisation; `id` is never given to anybody else. `obstacle` says why their drive is closed."""

    id: str
    email: str
    obstacle: str = ""


class GoogleDirectory:
    """The groups of the account's organisation. Every method raises SourceError."""

    def __init__(self, connection: DriveConnection, url: str, transport: httpx.BaseTransport | None = None) -> None:
        scopes = (SCOPE, PEOPLE_SCOPE) if connection.subjects == ALL_PEOPLE else (SCOPE,)
        self._authorization = Authorization(connection, *scopes, transport=transport)
        self._api = open_api(connection, url, self._authorization, transport)

    @property
    def requests(self) -> int:
        return self._api.requests

    def close(self) -> None:
        self._api.close()
        self._authorization.close()

    def memberships(
        self, permission_id: PermissionIdOf, cache: MembershipCache | None = None
    ) -> Iterator[MembershipItem]:
        """People in each group, and in the groups inside it; groups by what `permission_id` tells for their addresses.

        A group that cannot be told so is known by what the cache has kept of it. Where it may be any of those that are
        known, what is known of all of them stays as it is: raises UnreadableUnits after all others.
        """
        try:
            yield from self._read_groups(permission_id, _KnownGroups(cache))
        except (AuthenticationFailed, *REFUSALS) as error:  # no token for its scopes, where there is one for Drive
            raise SourceError(f"{error}; grant {PARTS_BY_NAME[DIRECTORY].permission}") from error

    def _read_groups(self, permission_id: PermissionIdOf, known: _KnownGroups) -> Iterator[MembershipItem]:
        reads, untold = GroupReads(lambda: next(self._groups())), list[ListingGap]()
        for group in sorted((one for page in self._groups() for one in page.groups), key=lambda one: one.email):
            ids: list[str] = []
            found = list(reads.read(group.id, partial(self._identify_and_read, group, permission_id, ids)))
            if own := ids[0] if ids else known.permission_id(group.id):
                yield from _tell(group, own, found)
                known.keep(group, own)
            else:
                untold += [
                    ListingGap(f"{group.email}: {one.reason}") for one in found if isinstance(one, UnreadableGroup)
                ]
        if untold and not known.are_all_told:
            raise UnreadableUnits(gaps=untold)

    def _identify_and_read(self, group: DirectoryGroup, permission_id: PermissionIdOf, ids: list[str]) -> list[str]:
        """Addresses of the members of a group, whose permission id goes into `ids` first: it is known then even where
        the members cannot be told."""
        ids.append(permission_id(group.email))
        return self._members(group.id)

    def people(self, subjects: str) -> list[Person]:
        """All of the organisation, or the members of a group by its address, by id."""
        found = self._everybody() if subjects == ALL_PEOPLE else self._members_as_people(subjects)
        return sorted(found, key=lambda person: person.id)

    def _everybody(self) -> Iterator[Person]:
        """https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/list"""
        fields = "nextPageToken,users(id,primaryEmail,suspended,archived)"
        for page in self._pages(DirectoryUserPage, "users", {"customer": "my_customer", "fields": fields}):
            for user in page.users:
                obstacle = "suspended" if user.suspended else "archived" if user.archived else ""
                yield Person(user.id, user.primary_email, obstacle)

    def _members_as_people(self, group: str) -> Iterator[Person]:
        params = {"includeDerivedMembership": "true", "fields": "nextPageToken,members(id,email,type,status)"}
        for page in self._pages(DirectoryMemberPage, f"groups/{quote(group, safe='@')}/members", params):
            for member in page.members:
                if member.type == "USER" and member.id and member.status:  # without one, of another organisation
                    yield Person(member.id, member.email, "" if member.is_person else member.status.lower())

    def try_groups(self, permission_id: PermissionIdOf) -> None:
        """Ask for some groups, and what stands for the first one in permissions, to see whether that is possible."""
        for group in next(self._groups()).groups[:1]:
            permission_id(group.email)

    def _groups(self) -> Iterator[DirectoryGroupPage]:
        params = {"customer": "my_customer", "fields": "nextPageToken,groups(id,email)"}
        return self._pages(DirectoryGroupPage, "groups", params)

    def _members(self, group: str) -> list[str]:
        """Addresses, sorted, by the group's id; none for a group that has been deleted since it was listed."""
        params = {"includeDerivedMembership": "true", "fields": "nextPageToken,members(email,type,status)"}
        try:
            pages = list(self._pages(DirectoryMemberPage, f"groups/{quote(group, safe='@')}/members", params))
        except NotFound:
            return []
        return _addresses(member.email for page in pages for member in page.members if member.is_person)

    def _pages(self, payload: type[Page], path: str, params: Mapping[str, Any]) -> Iterator[Page]:
        def read(token: str | None) -> Page:
            query = {**params, "maxResults": PER_PAGE, **({"pageToken": token} if token else {})}
            return self._api.send("GET", path, params=query, parse=parser(payload, path))

        return follow_pages(path, read)


class _KnownGroups:
    """What the directory calls the groups that are known by their permission ids."""

    def __init__(self, cache: MembershipCache | None) -> None:
        self._cache = cache
        self._kept = cache.all() if cache is not None else {}
        self._ids = {one["directory_id"]: one["permission_id"] for one in self._kept.values() if one}
        self.are_all_told = cache is not None and all(self._kept.values())
        """Then a group of which nothing is kept is none of them."""

    def permission_id(self, group: str) -> str | None:
        return self._ids.get(group)

    def keep(self, group: DirectoryGroup, own: str) -> None:
        kept = {"directory_id": group.id, "permission_id": own}
        for one in (own, domain_members(domain_of_address(group.email), own)):
            if self._cache is not None and self._kept.get(one) != kept:
                self._cache.put(one, kept)


def _tell(group: DirectoryGroup, own: str, found: Collection[MembershipItem]) -> Iterator[MembershipItem]:
    """What was found of a group, and of those of its members who are of its domain."""
    yield GroupName(own, group.email)
    yield from (replace(one, group=own) for one in found)
    domain = domain_of_address(group.email)
    yield GroupName(domain_members(domain, own), f"{group.email}, of its domain")
    yield from _domain_members(own, domain, found)


def _domain_members(group: str, domain: str, found: Iterable[MembershipItem]) -> Iterator[MembershipItem]:
    own = domain_members(domain, group)
    of_domain = [
        replace(one, group=own)
        for one in found
        if not isinstance(one, Membership) or domain_of_address(one.email) == domain
    ]
    yield from of_domain or [EmptyGroup(own)]


def _addresses(emails: Iterable[str]) -> list[str]:
    """Each once, as it is compared, sorted."""
    return sorted({address for address in map(find_address, emails) if address})
