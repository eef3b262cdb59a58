"""Members of groups, from Google's Directory API."""

from __future__ import annotations

import pytest

from connectors.contract import EmptyGroup, Membership, MembershipItem, UnreadableGroup
from connectors.drive.account import DriveConnector
from connectors.errors import SourceError
from tests.connectors.drive.conftest import OpenDrive
from tests.emulators.drive import BASE_URL, GoogleDrive, error

DOMAIN = "domain-members:"


@pytest.fixture
def connector(drive: GoogleDrive, open_drive: OpenDrive) -> DriveConnector:
    """It reads a directory of three groups with Ada in each."""
    drive.groups = {f"{name}@a.test": ["Ada@a.test"] for name in "cab"}
    return open_drive(directory_url=f"{BASE_URL}/directory")


def memberships(drive: GoogleDrive, connector: DriveConnector, failing: str, status: int) -> list[MembershipItem]:
    """What is told where a path below the directory is answered with an error."""
    drive.interrupt = lambda path, query: error(status, "forbidden") if path == f"directory/{failing}" else None
    return list(connector.memberships())


@pytest.mark.parametrize("status", [403, 400, 500])
def test_one_group_whose_members_cannot_be_read_leaves_the_others_alone(
    drive: GoogleDrive, connector: DriveConnector, status: int
) -> None:
    found = memberships(drive, connector, "groups/b@a.test/members", status)
    read = [Membership(f"{kind}{name}@a.test", "ada@a.test") for name in "ac" for kind in ("", DOMAIN)]
    assert [one for one in found if isinstance(one, Membership)] == read
    assert [one.group for one in found if isinstance(one, UnreadableGroup)] == ["b@a.test", f"{DOMAIN}b@a.test"]


@pytest.mark.parametrize(
    ("members", "of_domain"),
    [
        (["ada@a.test", "eve@b.test"], [Membership("domain-members:c@a.test", "ada@a.test")]),
        (["eve@b.test", "eve@sub.a.test", "ada@A.test.evil"], [EmptyGroup("domain-members:c@a.test")]),
        ([], [EmptyGroup("domain-members:c@a.test")]),
    ],
)
def test_members_of_a_group_s_own_domain_are_a_group_of_their_own(
    drive: GoogleDrive, connector: DriveConnector, members: list[str], of_domain: list[MembershipItem]
) -> None:
    drive.groups = {"c@a.test": members}
    assert [one for one in connector.memberships() if one.group.startswith(DOMAIN)] == of_domain


def test_a_group_that_was_deleted_since_it_was_listed_has_no_members(
    drive: GoogleDrive, connector: DriveConnector
) -> None:
    found = memberships(drive, connector, "groups/b@a.test/members", 404)
    assert [one.group for one in found if isinstance(one, Membership)] == [
        f"{kind}{name}@a.test" for name in "ac" for kind in ("", DOMAIN)
    ]


@pytest.mark.parametrize(
    ("status", "said"), [(401, "grant the scopes admin.directory"), (403, "grant the scopes admin"), (500, "HTTP 500")]
)
def test_groups_that_cannot_be_listed_are_an_error_that_says_what_to_grant(
    drive: GoogleDrive, connector: DriveConnector, status: int, said: str
) -> None:
    with pytest.raises(SourceError, match=said):
        memberships(drive, connector, "groups", status)
