"""Who asks, as reader tokens."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from connectors.drive.settings import DriveConnection
from connectors.github.settings import GitHubConnection
from pipelines.retrieval.principals import person_tokens, service_tokens
from pipelines.settings import Settings

GITHUB = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
GROUPS = {"ada@example.com": frozenset({"group:acme:team", "group:chat:C1"})}


class Groups:
    def groups_of(self, email: str) -> frozenset[str]:
        return GROUPS.get(email, frozenset())


def drive(id: str) -> DriveConnection:
    return DriveConnection(id=id, source="drive", token=SecretStr("t"))


@pytest.mark.parametrize(
    ("email", "drives", "expected"),
    [
        ("ada@example.com", (), {"public", "user:ada@example.com", "group:acme:team", "group:chat:C1"}),
        (" Ada@Example.COM ", (), {"public", "user:ada@example.com", "group:acme:team", "group:chat:C1"}),
        ("bo@example.com", (), {"public", "user:bo@example.com"}),
        ("bo@example.com", ("gd",), {"public", "user:bo@example.com", "group:gd:domain:example.com"}),
        (
            "bo@Example.com",
            ("gd", "hr"),
            {"public", "user:bo@example.com", "group:gd:domain:example.com", "group:hr:domain:example.com"},
        ),
        # An address ends at its last @: what stands before it gives nobody another domain.
        ("bo@example.com@evil.test", ("gd",), {"public", "user:bo@example.com@evil.test", "group:gd:domain:evil.test"}),
        ("bo@sub.example.com", ("gd",), {"public", "user:bo@sub.example.com", "group:gd:domain:sub.example.com"}),
        # Whoever names a token instead of an address does not get it.
        ("group:acme:team", (), {"public", "user:group:acme:team"}),
        ("domain:example.com", (), {"public", "user:domain:example.com"}),
    ],
)
def test_what_a_person_holds(email: str, drives: tuple[str, ...], expected: set[str]) -> None:
    settings = Settings().model_copy(update={"connections": (GITHUB, *map(drive, drives))})
    tokens = person_tokens(email, settings, Groups())
    assert set(tokens) == expected
    assert list(tokens) == sorted(set(tokens))


@pytest.mark.parametrize(
    ("readers", "expected"),
    [((), ("public",)), (("group:acme:team",), ("group:acme:team", "public")), (("public",), ("public",))],
)
def test_what_a_service_holds(readers: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert service_tokens(readers) == expected
