"""Who a reader token stands for, and whether a person holds one of a document's."""

from __future__ import annotations

import pytest

from connectors.registry import source
from pipelines.operations.explain.visibility import Grant, Reader, Visibility, reader, visibility

SOURCES = {"acme": source("github"), "acme-drive": source("drive")}
UNITS = {("acme", "42"): "Plant", ("other", "42"): "Another plant", ("acme", "unnamed"): ""}
TEAM, ADA = Reader("group:acme:42", "group", "Plant"), Reader("user:ada@example.com", "direct", "ada@example.com")


@pytest.mark.parametrize(
    ("token", "grant", "name"),
    [
        ("public", "public", "everybody"),
        ("user:ada@example.com", "direct", "ada@example.com"),
        ("user:odd:address", "direct", "odd:address"),
        ("group:acme:42", "group", "Plant"),
        ("group:acme:7", "group", "7 of acme"),
        ("group:acme-drive:77", "group", "team@example.com"),
        ("group:acme:unnamed", "group", "unnamed of acme"),
        ("group:acme:team:core", "group", "team:core of acme"),
        ("group:acme-drive:domain:example.com", "domain", "example.com"),
        ("group:acme-drive:all@example.com", "group", "all@example.com of acme-drive"),
        # What is a domain at one source is a group like any other at the next.
        ("group:acme:domain:example.com", "group", "domain:example.com of acme"),
        # The settings no longer name the connection.
        ("group:removed:domain:example.com", "group", "domain:example.com of removed"),
    ],
)
def test_a_token_is_named_for_people(token: str, grant: Grant, name: str) -> None:
    assert reader(token, UNITS, SOURCES, {"group:acme-drive:77": "team@example.com"}) == Reader(token, grant, name)


@pytest.mark.parametrize(
    ("tokens", "readers", "published", "expected"),
    [
        (("public", TEAM.token), (ADA, TEAM), True, Visibility("bo", True, (TEAM,))),
        ((ADA.token, TEAM.token), (ADA, TEAM), True, Visibility("bo", True, (ADA, TEAM))),
        (("public",), (ADA, TEAM), True, "neither they nor one of their groups is among its readers"),
        (("public",), (), True, "it has no readers: only an administrator sees it"),
        (("public",), (), False, "nothing of it is published"),
    ],
)
def test_a_person_sees_what_carries_one_of_their_tokens(
    tokens: tuple[str, ...], readers: tuple[Reader, ...], published: bool, expected: Visibility | str
) -> None:
    found = visibility("bo", tokens, readers, published=published, unreadable={"group:acme:elsewhere": "HTTP 500"})
    assert found == (Visibility("bo", False, (), expected) if isinstance(expected, str) else expected)


def test_a_group_whose_members_cannot_be_read_is_told_to_whom_it_keeps_out() -> None:
    unreadable = {TEAM.token: "access denied"}
    expected = "neither they nor one of their groups is among its readers; "
    expected += "who belongs to Plant cannot be read: access denied"
    found = visibility("bo", ("public",), (ADA, TEAM), published=True, unreadable=unreadable)
    assert found == Visibility("bo", False, (), expected)
    assert visibility("ada", (ADA.token,), (ADA, TEAM), published=True, unreadable=unreadable).sees
