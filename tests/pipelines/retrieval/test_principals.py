"""Who asks, as reader tokens."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from connectors.drive.settings import DriveConnection
from connectors.github.settings import GitHubConnection
from pipelines.retrieval.principals import is_known, person_tokens, service_tokens
from pipelines.settings import Settings
from tests.pipelines.retrieval.memory_index import MemoryIndex, chunk

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


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("ada@example.com", True),  # by a group
        ("bo@example.com", True),  # as a reader of a document
        ("cy@team.test", True),  # as one of the domain
        ("cy@example.com", False),
        ("public", False),
    ],
)
def test_who_is_known_to_any_source(address: str, known: bool) -> None:
    settings = Settings().model_copy(update={"connections": (GITHUB, drive("gd"))})
    documents = (("a", "public"), ("b", "user:bo@example.com"), ("c", "group:gd:domain:team.test"))
    index = MemoryIndex([chunk(name, readers=[reader]) for name, reader in documents])
    tokens = person_tokens(address, settings, Groups())
    assert is_known(address, tokens, settings, index, 4) is known


def test_whether_somebody_is_known_takes_one_small_question() -> None:
    index = MemoryIndex([])
    assert not is_known("cy@example.com", ["public"], Settings(), index, 4)
    assert (index.modes, index.limits) == ([("dense", [0.5] * 4)], [1])
    assert is_known("cy@example.com", ["public", "group:acme:team"], Settings(), index, 4)
    assert len(index.limits) == 1
