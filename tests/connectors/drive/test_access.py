"""Permissions become readers, and nothing that is not understood does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.drive.access import (
    AccessRestrictions,
    commenters,
    domain_group,
    domain_groups,
    domain_of,
    effective_below,
    grants,
    seen_above,
)
from connectors.drive.payloads import DrivePermission

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def parsed(*permissions: dict[str, Any]) -> list[DrivePermission]:
    return [DrivePermission.model_validate({"role": "reader", **one}) for one in permissions]


def who(*permissions: dict[str, Any]) -> tuple[str, ...]:
    return tuple(grants("acme", parsed(*permissions), NOW))


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        ({"type": "user", "emailAddress": "Ada@Acme.test"}, ("user:ada@acme.test",)),
        ({"type": "group", "id": "77", "emailAddress": " Eng@Acme.test "}, ("group:acme:77",)),
        ({"type": "group", "id": "77"}, ("group:acme:77",)),
        ({"type": "group", "emailAddress": "eng@acme.test"}, ()),
        ({"type": "group", "id": "77", "emailAddress": "eng@acme.test", "deleted": True}, ()),
        ({"type": "domain", "domain": "Acme.test", "allowFileDiscovery": True}, ("group:acme:domain:acme.test",)),
        ({"type": "domain", "domain": "acme.test"}, ("group:acme:domain:acme.test",)),
        ({"type": "domain", "domain": "acme.test", "allowFileDiscovery": False}, ()),
        ({"type": "domain"}, ()),
        ({"type": "anyone", "allowFileDiscovery": True}, ("public",)),
        ({"type": "anyone", "allowFileDiscovery": False}, ()),
        ({"type": "anyone"}, ()),
        ({"type": "user"}, ()),
        ({"type": "user", "emailAddress": ""}, ()),
        ({"type": "user", "emailAddress": "a@b.c", "deleted": True}, ()),
        ({"type": "user", "emailAddress": "a@b.c", "role": "writer", "pendingOwner": True}, ("user:a@b.c",)),
        ({"type": "user", "emailAddress": "a@b.c", "expirationTime": "2026-05-31T00:00:00Z"}, ()),
        ({"type": "user", "emailAddress": "a@b.c", "expirationTime": "2026-06-02T00:00:00Z"}, ("user:a@b.c",)),
        ({"type": "anyone", "allowFileDiscovery": True, "view": "published"}, ()),
        ({"type": "user", "emailAddress": "a@b.c", "view": "metadata"}, ()),
        ({"type": "user", "emailAddress": "a@b.c", "role": "none"}, ()),
        ({"type": "robot", "emailAddress": "a@b.c"}, ()),
        ({}, ()),
    ],
)
def test_a_permission_makes_a_reader(permission: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert who(permission) == expected


@pytest.mark.parametrize("role", ["owner", "organizer", "fileOrganizer", "writer", "commenter", "reader"])
def test_every_role_reads(role: str) -> None:
    assert who({"type": "user", "emailAddress": "a@b.c", "role": role}) == ("user:a@b.c",)


@pytest.mark.parametrize(
    ("role", "comments"),
    [
        ("owner", True),
        ("organizer", True),
        ("fileOrganizer", True),
        ("writer", True),
        ("commenter", True),
        ("reader", False),
        ("none", False),
    ],
)
def test_all_readers_but_mere_viewers_see_comments(role: str, comments: bool) -> None:
    permission = DrivePermission(type="user", role=role, email_address="a@b.c")
    assert list(grants("acme", commenters([permission]), NOW)) == (["user:a@b.c"] if comments else [])


def test_a_viewer_does_not_keep_others_from_the_comments() -> None:
    permissions = [
        DrivePermission(type="user", role="reader", email_address="viewer@b.c"),
        DrivePermission(type="user", role="writer", email_address="writer@b.c"),
    ]
    assert commenters(permissions) == permissions[1:]
    assert who(*(one.model_dump() for one in permissions)) == ("user:viewer@b.c", "user:writer@b.c")


def test_a_permission_ends_at_its_moment() -> None:
    assert who({"type": "user", "emailAddress": "a@b.c", "expirationTime": NOW}) == ()


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((1,), 1),
        ((None,), None),
        ((1, 2), 2),
        ((2, 1), 2),
        ((1, None), None),
        ((None, 1), None),
        ((0, 1), 1),
    ],
)
def test_what_is_granted_twice_ends_with_the_last(ends: tuple[int | None, ...], expected: int | None) -> None:
    """In seconds from now; what has ended grants nothing."""

    def moment(end: int | None) -> datetime | None:
        return None if end is None else NOW + timedelta(seconds=end)

    one = {"type": "user", "emailAddress": "a@b.c"}
    permissions = parsed(*({**one, "expirationTime": moment(end)} for end in ends))
    assert grants("acme", permissions, NOW) == {"user:a@b.c": moment(expected)}


INSIDE = {"type": "user", "emailAddress": "in@acme.test"}
OUTSIDE = {"type": "user", "emailAddress": "out@other.test"}
GROUP = {"type": "group", "id": "77", "emailAddress": "team@Acme.test"}
DOMAIN = {"type": "domain", "domain": "acme.test"}
OTHER_DOMAIN = {"type": "domain", "domain": "other.test"}
ANYONE = {"type": "anyone", "allowFileDiscovery": True}


@pytest.mark.parametrize(
    ("restrictions", "expected"),
    [
        (AccessRestrictions(), {"in", "out", "team", "acme", "other", "anyone"}),
        (AccessRestrictions(domain="acme.test"), {"in", "insiders", "acme"}),
        (AccessRestrictions(domain=""), set()),
        (AccessRestrictions(members=frozenset({"user:out@other.test"})), {"out"}),
        (AccessRestrictions("acme.test", frozenset({"user:out@other.test", "user:in@acme.test"})), {"in"}),
        (AccessRestrictions(members=frozenset()), set()),
    ],
)
def test_a_shared_drive_restricts_what_permissions_grant(restrictions: AccessRestrictions, expected: set[str]) -> None:
    tokens = {
        "in": "user:in@acme.test",
        "out": "user:out@other.test",
        "team": "group:acme:77",
        "insiders": "group:acme:domain-members:acme.test:77",
        "acme": "group:acme:domain:acme.test",
        "other": "group:acme:domain:other.test",
        "anyone": "public",
    }
    permissions = parsed(INSIDE, OUTSIDE, GROUP, DOMAIN, OTHER_DOMAIN, ANYONE)
    assert set(grants("acme", permissions, NOW, restrictions)) == {tokens[name] for name in expected}


@pytest.mark.parametrize(
    ("permission", "counts"),
    [
        ({"permissionDetails": [{"inherited": True, "inheritedFrom": "drive"}]}, False),
        ({"permissionDetails": [{"inherited": True, "inheritedFrom": "drive"}], "role": "fileOrganizer"}, False),
        ({"permissionDetails": [{"inherited": True, "inheritedFrom": "drive"}], "role": "organizer"}, True),
        ({"permissionDetails": [{"inherited": True, "inheritedFrom": "drive"}], "role": "owner"}, True),
        ({"permissionDetails": [{"inherited": True, "inheritedFrom": "limited"}]}, True),
        ({"permissionDetails": [{"inherited": False}]}, True),
        ({"permissionDetails": [{"inherited": True, "inheritedFrom": "drive"}, {"inherited": False}]}, True),
        ({"permissionDetails": [{"inherited": True}]}, True),
        ({}, True),
    ],
)
def test_below_a_folder_with_limited_access_counts_what_is_granted_there(
    permission: dict[str, Any], counts: bool
) -> None:
    [one] = parsed({**INSIDE, **permission})
    assert effective_below(["limited", "inner"], [one]) == ([one] if counts else [])


def test_readers_do_not_depend_on_order_or_repetition() -> None:
    one, two = {"type": "user", "emailAddress": "b@b.c"}, {"type": "user", "emailAddress": "a@b.c"}
    assert who(one, two, one) == who(two, one) == ("user:a@b.c", "user:b@b.c")


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["user", "group", "domain", "anyone", "other", ""]),
            "role": st.sampled_from(["owner", "reader", "other", ""]),
            "emailAddress": st.none() | st.sampled_from(["", "a@b.c"]),
            "domain": st.none() | st.sampled_from(["", "b.c"]),
            "allowFileDiscovery": st.none() | st.booleans(),
            "deleted": st.none() | st.booleans(),
            "view": st.none() | st.just("published"),
        },
    )
)
def test_only_a_discoverable_permission_for_anyone_is_public(permission: dict[str, Any]) -> None:
    discoverable = permission.get("type") == "anyone" and permission.get("allowFileDiscovery") is True
    assert "public" not in who(permission) or discoverable


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("Ada@Acme.test", ("group:acme:domain:acme.test",)),
        ('"odd@name"@acme.test ', ("group:acme:domain:acme.test",)),
        ("ada@ ", ()),
        ("", ()),
    ],
)
def test_an_address_tells_its_domain(email: str, expected: tuple[str, ...]) -> None:
    assert domain_groups("acme", email) == expected


@pytest.mark.parametrize(("group", "domain"), [(domain_group(" Acme.test "), "acme.test"), ("77", ""), ("domain", "")])
def test_a_group_of_a_domain_names_it(group: str, domain: str) -> None:
    assert domain_of(group) == domain


def inherited(email: str, *origins: str) -> DrivePermission:
    """By the items above that a permission is inherited from; without any it is granted on the file itself."""
    details = [{"role": "reader", "inherited": True, "inheritedFrom": one} for one in origins]
    told = {"type": "user", "role": "reader", "emailAddress": email, "permissionDetails": details}
    return DrivePermission.model_validate(told)


@pytest.mark.parametrize(
    ("permissions", "folders", "seen"),
    [
        ([inherited("a@b.c", "drive")], {"drive": None, "folder": None}, {"drive", "folder"}),
        ([inherited("a@b.c", "folder")], {"drive": None, "folder": None}, {"folder"}),
        ([inherited("a@b.c", "drive"), inherited("x@b.c", "folder")], {"drive": None, "folder": None}, {"folder"}),
        ([inherited("a@b.c", "drive"), inherited("x@b.c")], {"drive": None, "folder": None}, set()),
        ([inherited("a@b.c"), inherited("a@b.c", "drive")], {"drive": None}, {"drive"}),
        ([inherited("a@b.c", "elsewhere")], {"drive": None, "folder": None}, set()),
        ([inherited("a@b.c")], {"top": [inherited("a@b.c")], "inner": None}, {"top"}),
        ([inherited("a@b.c"), inherited("x@b.c")], {"top": [inherited("a@b.c")]}, set()),
        ([], {"top": None}, {"top"}),
    ],
)
def test_a_folder_is_named_where_all_readers_of_a_file_may_see_it(
    permissions: list[DrivePermission], folders: dict[str, list[DrivePermission] | None], seen: set[str]
) -> None:
    assert seen_above("files", folders, permissions, NOW) == seen
