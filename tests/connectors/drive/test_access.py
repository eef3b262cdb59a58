"""Permissions become readers, and nothing that is not understood does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.drive.access import commenters, domain_group, domain_groups, domain_of, readers
from connectors.drive.payloads import DrivePermission

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def who(*permissions: dict[str, Any]) -> tuple[str, ...]:
    return readers("acme", [DrivePermission.model_validate({"role": "reader", **one}) for one in permissions], NOW)


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        ({"type": "user", "emailAddress": "Ada@Acme.test"}, ("user:ada@acme.test",)),
        ({"type": "group", "emailAddress": " Eng@Acme.test "}, ("group:acme:eng@acme.test",)),
        ({"type": "group"}, ()),
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
    assert commenters("acme", [permission], NOW) == (("user:a@b.c",) if comments else ())


def test_a_viewer_does_not_keep_others_from_the_comments() -> None:
    permissions = [
        DrivePermission(type="user", role="reader", email_address="viewer@b.c"),
        DrivePermission(type="user", role="writer", email_address="writer@b.c"),
    ]
    assert commenters("acme", permissions, NOW) == ("user:writer@b.c",)
    assert readers("acme", permissions, NOW) == ("user:viewer@b.c", "user:writer@b.c")


def test_a_permission_ends_at_its_moment() -> None:
    assert who({"type": "user", "emailAddress": "a@b.c", "expirationTime": NOW}) == ()


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


@pytest.mark.parametrize(
    ("group", "domain"), [(domain_group(" Acme.test "), "acme.test"), ("eng@acme.test", ""), ("domain", "")]
)
def test_a_group_of_a_domain_names_it(group: str, domain: str) -> None:
    assert domain_of(group) == domain
