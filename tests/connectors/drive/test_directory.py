"""Members of groups, from Google's Directory API."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.contract import EmptyGroup, GroupName, Membership, MembershipItem, UnreadableGroup
from connectors.drive.account import DriveConnector
from connectors.errors import SourceError, UnreadableUnits
from tests.connectors.drive.conftest import OpenDrive
from tests.emulators.drive import BASE_URL, GoogleDrive, error, group, permission_id

DOMAIN = "domain-members:a.test:"
A, B, C = (permission_id(group(f"{name}@a.test")) for name in "abc")


@pytest.fixture
def connector(drive: GoogleDrive, open_drive: OpenDrive) -> DriveConnector:
    """It reads a directory of three groups with Ada in each."""
    drive.groups = {f"{name}@a.test": ["Ada@a.test"] for name in "cab"}
    return open_drive(directory_url=f"{BASE_URL}/directory")


def memberships(drive: GoogleDrive, connector: DriveConnector, failing: str, status: int) -> list[MembershipItem]:
    """What is told where a path is answered with an error."""
    drive.interrupt = lambda path, query: error(status, "forbidden") if path == failing else None
    return list(connector.memberships())


def members_path(permission: str) -> str:
    """The directory has another id of a group than Drive."""
    return f"directory/groups/0{permission}/members"


@pytest.mark.parametrize("status", [403, 400, 500])
def test_one_group_whose_members_cannot_be_read_leaves_the_others_alone(
    drive: GoogleDrive, connector: DriveConnector, status: int
) -> None:
    found = memberships(drive, connector, members_path(B), status)
    read = [Membership(f"{kind}{own}", "ada@a.test") for own in (A, C) for kind in ("", DOMAIN)]
    assert [one for one in found if isinstance(one, Membership)] == read
    assert [one.group for one in found if isinstance(one, UnreadableGroup)] == [B, f"{DOMAIN}{B}"]


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_group_that_drive_does_not_tell_is_named_after_all_others(
    drive: GoogleDrive, connector: DriveConnector, status: int
) -> None:
    drive.interrupt = lambda path, query: error(status, "forbidden") if path == "permissionIds/b@a.test" else None
    found = list[MembershipItem]()
    with pytest.raises(UnreadableUnits, match=r"^b@a\.test: ") as raised:
        found.extend(connector.memberships())
    assert {one.group for one in found} == {f"{kind}{own}" for own in (A, C) for kind in ("", DOMAIN)}
    assert raised.value.are_refused


class Cache(dict[str, dict[str, Any] | None]):
    """What is kept of each group, of which no catalog knows what else there is."""

    def put(self, group: str, kept: dict[str, Any]) -> None:
        self[group] = kept

    def all(self) -> dict[str, dict[str, Any] | None]:
        return dict(self)


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_group_that_drive_does_not_tell_is_known_by_the_directory_s_id(
    drive: GoogleDrive, connector: DriveConnector, status: int
) -> None:
    """So that no other group is taken for it, and those that are gone are known to be."""
    cache = Cache()
    list(connector.cached_memberships(cache))
    new = {"permissionIds/b@a.test", "permissionIds/new@a.test"}
    drive.groups["new@a.test"] = ["eve@a.test"]
    drive.interrupt = lambda path, query: error(status, "forbidden") if path in new else None
    del drive.groups["a@a.test"]
    found = list(connector.cached_memberships(cache))
    assert {one.group for one in found if isinstance(one, UnreadableGroup)} == {B, f"{DOMAIN}{B}"}
    assert {one.group for one in found if isinstance(one, Membership)} == {C, f"{DOMAIN}{C}"}
    cache[A] = None  # as an earlier release has left it: b may be any of them
    with pytest.raises(UnreadableUnits):
        list(connector.cached_memberships(cache))


def test_a_group_has_the_members_of_the_directory_whatever_its_address(
    drive: GoogleDrive, connector: DriveConnector
) -> None:
    drive.rename_account("b@a.test", "d@a.test")
    drive.groups["b@a.test"] = ["eve@a.test"]
    found = [one for one in connector.memberships() if isinstance(one, Membership)]
    new = drive.holder("b@a.test")
    assert new not in (A, B, C)
    of = {own: [one.email for one in found if one.group == own] for own in (B, new, f"{DOMAIN}{B}", f"{DOMAIN}{new}")}
    assert list(of.values()) == [["ada@a.test"], ["eve@a.test"]] * 2


@pytest.mark.parametrize(
    ("members", "of_domain"),
    [
        (["ada@a.test", "eve@b.test"], [Membership(f"{DOMAIN}{C}", "ada@a.test")]),
        (["eve@b.test", "eve@sub.a.test", "ada@A.test.evil"], [EmptyGroup(f"{DOMAIN}{C}")]),
        ([], [EmptyGroup(f"{DOMAIN}{C}")]),
    ],
)
def test_members_of_a_group_s_own_domain_are_a_group_of_their_own(
    drive: GoogleDrive, connector: DriveConnector, members: list[str], of_domain: list[MembershipItem]
) -> None:
    drive.groups = {"c@a.test": members}
    name, *found = (one for one in connector.memberships() if one.group.startswith(DOMAIN))
    assert name == GroupName(f"{DOMAIN}{C}", "c@a.test, of its domain")
    assert found == of_domain


def test_a_group_that_was_deleted_since_it_was_listed_has_no_members(
    drive: GoogleDrive, connector: DriveConnector
) -> None:
    found = memberships(drive, connector, members_path(B), 404)
    assert [one.group for one in found if isinstance(one, Membership)] == [
        f"{kind}{own}" for own in (A, C) for kind in ("", DOMAIN)
    ]


@pytest.mark.parametrize(
    ("status", "said"), [(401, "grant the scopes admin.directory"), (403, "grant the scopes admin"), (500, "HTTP 500")]
)
def test_groups_that_cannot_be_listed_are_an_error_that_says_what_to_grant(
    drive: GoogleDrive, connector: DriveConnector, status: int, said: str
) -> None:
    with pytest.raises(SourceError, match=said):
        memberships(drive, connector, "directory/groups", status)
