from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.contract import Membership
from connectors.github import access
from connectors.github.payloads.parsing import parse
from connectors.github.payloads.rest import GitHubRepository
from connectors.github.settings import GitHubConnection
from connectors.github.source import GitHubConnector, connect


@pytest.mark.parametrize(
    ("repository", "tokens"),
    [
        ({"visibility": "public", "private": False}, ("public",)),
        ({"visibility": "public"}, ("public",)),
        ({"private": False}, ("public",)),
        ({"visibility": "private", "private": True}, ("group:gh:acme/api",)),
        ({"visibility": "internal", "private": True}, ("group:gh:acme/api",)),
        ({"visibility": "internal", "private": False}, ("group:gh:acme/api",)),
        ({"visibility": "public", "private": True}, ("group:gh:acme/api",)),
        ({"private": None}, ("group:gh:acme/api",)),
        ({}, ("group:gh:acme/api",)),
    ],
)
def test_only_what_is_surely_public_is_public(repository: dict[str, Any], tokens: tuple[str, ...]) -> None:
    assert access.reader_tokens("gh", "acme/api", parse(GitHubRepository, repository)) == tokens


def people(*logins: str) -> httpx.Response:
    return httpx.Response(200, json=[{"login": login} for login in logins])


def test_collaborators_with_a_known_address_belong(github: Any, connector: GitHubConnector) -> None:
    github.repository.update(private=True, visibility="private")
    github.answers["repos/acme/api/collaborators"] = lambda request: people("Ada", "bob", "gone", "hidden")
    github.answers["users/ada"] = lambda request: httpx.Response(200, json={"email": "ada@acme.test"})
    github.answers["users/bob"] = lambda request: httpx.Response(200, json={"email": None})
    github.answers["users/hidden"] = lambda request: httpx.Response(403, json={"message": "no"})
    assert list(connector.memberships()) == [Membership("acme/api", "ada@acme.test")]


def test_the_settings_name_addresses_that_profiles_hide(github: Any, connection: GitHubConnection) -> None:
    github.repository.update(private=True)
    github.answers["repos/acme/api/collaborators"] = lambda request: people("Bob")
    named = connection.model_copy(update={"emails": {"bOb": "bob@acme.test"}})
    connector = connect(named, httpx.MockTransport(github))
    assert list(connector.memberships()) == [Membership("acme/api", "bob@acme.test")]
    assert github.paths()["users/bob"] == 0


@pytest.mark.parametrize("status", [403, 404])
def test_unknown_collaborators_are_nobody(github: Any, connector: GitHubConnector, status: int) -> None:
    github.repository.update(private=True)
    github.answers["repos/acme/api/collaborators"] = lambda request: httpx.Response(status, json={"message": "no"})
    assert list(connector.memberships()) == []


def test_public_repositories_need_no_memberships(github: Any, connector: GitHubConnector) -> None:
    assert list(connector.memberships()) == []
    assert set(github.paths()) == {"user/repos"}
