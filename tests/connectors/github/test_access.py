from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from connectors.contract import Membership
from connectors.github import access
from connectors.github.payloads.parsing import parse
from connectors.github.payloads.rest import GitHubRepository
from connectors.github.settings import GitHubConnection
from connectors.github.source import GitHubConnector, connect
from tests.connectors.github.conftest import GitHub


@pytest.mark.parametrize(
    ("repository", "tokens"),
    [
        ({"visibility": "public", "private": False}, ("public",)),
        ({"visibility": "public"}, ("public",)),
        ({"private": False}, ("public",)),
        ({"visibility": "private", "private": True}, ("group:gh:77",)),
        ({"visibility": "internal", "private": True}, ("group:gh:77",)),
        ({"visibility": "internal", "private": False}, ("group:gh:77",)),
        ({"visibility": "public", "private": True}, ("group:gh:77",)),
        ({"private": None}, ("group:gh:77",)),
        ({"visibility": ["public"], "private": False}, ("group:gh:77",)),
        ({"visibility": "", "private": False}, ("group:gh:77",)),
        ({"private": 0}, ("group:gh:77",)),
        ({}, ("group:gh:77",)),
    ],
)
def test_only_what_is_surely_public_is_public(repository: dict[str, Any], tokens: tuple[str, ...]) -> None:
    assert access.reader_tokens("gh", parse(GitHubRepository, {"id": 77, **repository})) == tokens


def people(*logins: str) -> httpx.Response:
    return httpx.Response(200, json=[{"login": login} for login in logins])


def test_collaborators_with_a_known_address_belong(github: GitHub, connector: GitHubConnector) -> None:
    github.repository.update(private=True, visibility="private")
    github.answers["repos/acme/api/collaborators"] = lambda request: people("Ada", "bob", "gone", "hidden")
    github.answers["users/ada"] = lambda request: httpx.Response(200, json={"email": "ada@acme.test"})
    github.answers["users/bob"] = lambda request: httpx.Response(200, json={"email": None})
    github.answers["users/hidden"] = lambda request: httpx.Response(403, json={"message": "no"})
    assert list(connector.memberships()) == [Membership("77", "ada@acme.test")]


def test_the_settings_name_addresses_that_profiles_hide(github: GitHub, connection: GitHubConnection) -> None:
    github.repository.update(private=True)
    github.answers["repos/acme/api/collaborators"] = lambda request: people("Bob")
    named = connection.model_copy(update={"emails": {"bOb": "bob@acme.test"}})
    connector = connect(named, httpx.MockTransport(github))
    assert list(connector.memberships()) == [Membership("77", "bob@acme.test")]
    assert github.paths()["users/bob"] == 0


def found(**fields: Any) -> httpx.Response:
    return httpx.Response(200, json={"data": fields})


def test_people_are_asked_for_by_the_handful(
    github: GitHub, connection: GitHubConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Addresses that an organisation has verified count first, each once, and in lower case."""
    monkeypatch.setattr("connectors.github.access.PEOPLE_PER_REQUEST", 2)
    verified = ["Ada@acme.test", "ada@ACME.test", "", "ada@mill.test"]
    asked: list[str] = []
    answers = [
        found(u0={"email": "ada@home.test", "organizationVerifiedDomainEmails": verified}, u1=None),
        found(u0={"email": "", "organizationVerifiedDomainEmails": None}),
    ]

    def graphql(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["query"])
        return answers[len(asked) - 1]

    github.answers["/api/graphql"] = graphql
    github.repository.update(private=True, visibility="private", owner={"login": "acme", "type": "Organization"})
    github.page_size = 10
    github.answers["repos/acme/api/collaborators"] = lambda request: people("ada", "", "Bob", "cy", "dee")
    known = connection.model_copy(update={"emails": {"Dee": "dee@acme.test"}})
    assert list(connect(known, httpx.MockTransport(github)).memberships()) == [
        *(Membership("77", email) for email in ("ada@acme.test", "ada@mill.test", "ada@home.test")),
        Membership("77", "dee@acme.test"),
    ]
    verified_domains = 'organizationVerifiedDomainEmails(login: "acme")'
    assert asked == [
        f'query {{ u0: user(login: "ada") {{ email {verified_domains} }}\nu1: user(login: "bob") '
        f"{{ email {verified_domains} }} }}",
        f'query {{ u0: user(login: "cy") {{ email {verified_domains} }} }}',
    ]


@pytest.mark.parametrize("owner", [None, {"login": "ada", "type": "User"}, {"login": "acme"}, "acme"])
def test_only_organisations_verify_domains(github: GitHub, connector: GitHubConnector, owner: Any) -> None:
    github.repository.update(private=True, owner=owner)
    github.answers["repos/acme/api/collaborators"] = lambda request: people("ada")
    github.answers["/api/graphql"] = lambda request: found(u0={"email": "ada@acme.test"})
    assert list(connector.memberships()) == [Membership("77", "ada@acme.test")]
    assert not any(b"organizationVerifiedDomainEmails" in request.content for request in github.asked)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, json={}),
        httpx.Response(403, json={"message": "no"}),
        httpx.Response(422, json={"message": "odd"}),
        httpx.Response(200, json={"errors": [{"type": "FORBIDDEN", "message": "no"}]}),
        httpx.Response(200, json={"data": {"u0": 5}, "errors": [{"message": "Cannot query field"}]}),
        httpx.Response(200, json={"data": []}),
    ],
)
def test_profiles_are_asked_for_where_graphql_is_refused(
    github: GitHub, connector: GitHubConnector, answer: httpx.Response
) -> None:
    github.repository.update(private=True)
    github.answers["/api/graphql"] = lambda request: answer
    github.answers["repos/acme/api/collaborators"] = lambda request: people("ada", "gone")
    github.answers["users/ada"] = lambda request: httpx.Response(200, json={"email": "Ada@acme.test"})
    assert list(connector.memberships()) == [Membership("77", "ada@acme.test")]


def test_one_public_repository_does_not_hide_the_others(github: GitHub, connection: GitHubConnection) -> None:
    """People are asked for once, although they belong to several repositories."""
    public, first, second = (
        {
            **github.repository,
            "id": number,
            "full_name": f"acme/{name}",
            "visibility": visibility,
            "private": visibility != "public",
        }
        for number, name, visibility in ((1, "open", "public"), (2, "one", "private"), (3, "two", "internal"))
    )
    github.answers["user/repos"] = lambda request: httpx.Response(200, json=[public, first, second])
    for name in ("one", "two"):
        github.answers[f"repos/acme/{name}/collaborators"] = lambda request: people("ada")
    github.answers["/api/graphql"] = lambda request: found(u0={"email": "ada@acme.test"})
    connector = connect(connection, httpx.MockTransport(github))
    assert list(connector.memberships()) == [Membership(unit, "ada@acme.test") for unit in ("2", "3")]
    assert github.paths()["graphql"] == 1


@pytest.mark.parametrize("status", [403, 404])
def test_unknown_collaborators_are_nobody(
    github: GitHub, connector: GitHubConnector, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    github.repository.update(private=True)
    github.answers["repos/acme/api/collaborators"] = lambda request: httpx.Response(status, json={"message": "no"})
    assert list(connector.memberships()) == []
    assert "acme/api: its documents are visible to administrators only" in caplog.text


def test_public_repositories_need_no_memberships(github: GitHub, connector: GitHubConnector) -> None:
    assert list(connector.memberships()) == []
    assert set(github.paths()) == {"user/repos"}
