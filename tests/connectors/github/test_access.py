from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors.contract import Account, EmptyGroup, Membership, MembershipItem, UnreadableGroup
from connectors.errors import RateLimited, UnreadableUnits
from connectors.github import access
from connectors.github.payloads.parsing import parse
from connectors.github.payloads.rest import GitHubRepository
from connectors.github.settings import GitHubConnection
from connectors.github.source import GitHubConnector, connect
from tests.connectors.github.conftest import OneRepository


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


def test_collaborators_with_a_known_address_belong(github: OneRepository, connector: GitHubConnector) -> None:
    github.graphql = False  # else it is asked for several people at once
    github.described.update(private=True, visibility="private")
    github.answers["repos/acme/api/collaborators"] = lambda request: people("Ada", "bob", "gone", "hidden")
    github.answers["users/ada"] = lambda request: httpx.Response(200, json={"email": "ada@acme.test"})
    github.answers["users/bob"] = lambda request: httpx.Response(200, json={"email": None})
    github.answers["users/hidden"] = lambda request: httpx.Response(403, json={"message": "no"})
    assert list(connector.memberships()) == [Membership("77", "ada@acme.test")]


def test_the_settings_name_addresses_that_profiles_hide(github: OneRepository, connection: GitHubConnection) -> None:
    github.described.update(private=True)
    github.answers["repos/acme/api/collaborators"] = lambda request: people("Bob")
    named = connection.model_copy(update={"emails": {"bOb": "bob@acme.test"}})
    connector = connect(named, github.transport())
    assert list(connector.memberships()) == [Membership("77", "bob@acme.test")]
    assert github.paths()["users/bob"] == 0


def found(**fields: Any) -> httpx.Response:
    return httpx.Response(200, json={"data": fields})


def test_people_are_asked_for_by_the_handful(
    github: OneRepository, connection: GitHubConnection, monkeypatch: pytest.MonkeyPatch
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
    github.described.update(private=True, visibility="private", owner={"login": "acme", "type": "Organization"})
    github.page_size = 10
    github.answers["repos/acme/api/collaborators"] = lambda request: people("ada", "", "Bob", "cy", "dee")
    known = connection.model_copy(update={"emails": {"Dee": "dee@acme.test"}})
    assert list(connect(known, github.transport()).memberships()) == [
        *(Membership("77", email) for email in ("ada@acme.test", "ada@mill.test", "ada@home.test")),
        Membership("77", "dee@acme.test"),
    ]
    verified_domains = 'organizationVerifiedDomainEmails(login: "acme")'
    assert asked == [
        f'query {{ u0: user(login: "ada") {{ name email {verified_domains} }}\nu1: user(login: "bob") '
        f"{{ name email {verified_domains} }} }}",
        f'query {{ u0: user(login: "cy") {{ name email {verified_domains} }} }}',
    ]


def test_accounts_are_collaborators_and_those_whom_the_settings_name(
    github: OneRepository, connection: GitHubConnection
) -> None:
    github.described.update(private=True)
    github.answers["repos/acme/api/collaborators"] = lambda request: people("Ada", "cy")
    github.answers["/api/graphql"] = lambda request: found(u0={"name": "Ada L.", "email": "ada@acme.test"}, u1=None)
    known = connection.model_copy(update={"emails": {"Dee": "dee@acme.test"}})
    connector = connect(known, github.transport())
    list(connector.memberships())
    assert list(connector.accounts()) == [
        Account("ada", "Ada L.", emails=("ada@acme.test",)),
        Account("dee", "", emails=("dee@acme.test",)),
    ]


@pytest.mark.parametrize("owner", [None, {"login": "ada", "type": "User"}, {"login": "acme"}, "acme"])
def test_only_organisations_verify_domains(github: OneRepository, connector: GitHubConnector, owner: Any) -> None:
    github.described.update(private=True, owner=owner)
    github.answers["repos/acme/api/collaborators"] = lambda request: people("ada")
    github.answers["/api/graphql"] = lambda request: found(u0={"email": "ada@acme.test"})
    assert list(connector.memberships()) == [Membership("77", "ada@acme.test")]
    assert not any(b"organizationVerifiedDomainEmails" in request.content for request in github.asked_for)


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
    github: OneRepository, connector: GitHubConnector, answer: httpx.Response
) -> None:
    github.described.update(private=True)
    github.answers["/api/graphql"] = lambda request: answer
    github.answers["repos/acme/api/collaborators"] = lambda request: people("ada", "gone")
    github.answers["users/ada"] = lambda request: httpx.Response(200, json={"email": "Ada@acme.test"})
    assert list(connector.memberships()) == [Membership("77", "ada@acme.test")]


def test_one_public_repository_does_not_hide_the_others(github: OneRepository, connection: GitHubConnection) -> None:
    """People are asked for once, although they belong to several repositories."""
    public, first, second = (
        {
            **github.described,
            "id": number,
            "full_name": f"acme/{name}",
            "visibility": visibility,
            "private": visibility != "public",
        }
        for number, name, visibility in ((1, "open", "public"), (2, "one", "private"), (3, "two", "internal"))
    )
    list_repositories(github, public, first, second)
    for name in ("one", "two"):
        github.answers[f"repos/acme/{name}/collaborators"] = lambda request: people("ada")
    github.answers["/api/graphql"] = lambda request: found(u0={"email": "ada@acme.test"})
    connector = connect(connection, github.transport())
    assert list(connector.memberships()) == [Membership(unit, "ada@acme.test") for unit in ("2", "3")]
    assert github.paths()["graphql"] == 1


def test_addresses_that_one_organisation_verified_are_asked_for_by_each(
    github: OneRepository, connector: GitHubConnector
) -> None:
    described = [
        {**github.described, "id": number, "private": True, "full_name": f"{name}/r", "owner": owner}
        for number, name in enumerate(("acme", "beta", "acme"), 1)
        for owner in [{"login": name, "type": "Organization"}]
    ]
    described[2]["full_name"] = "acme/s"
    list_repositories(github, *described)
    for one in described:
        github.answers[f"repos/{one['full_name']}/collaborators"] = lambda request: people("bob")
    asked: list[str] = []

    def graphql(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["query"])
        verified = ["bob@beta.test"] if '"beta"' in asked[-1] else []
        return found(u0={"email": "", "organizationVerifiedDomainEmails": verified})

    github.answers["/api/graphql"] = graphql
    assert list(connector.memberships()) == [
        EmptyGroup("1"),
        Membership("2", "bob@beta.test"),
        EmptyGroup("3"),
    ]
    assert len(asked) == 2


def list_repositories(github: OneRepository, *described: dict[str, Any]) -> None:
    """In the place of the one that there is."""
    github.answers["user/repos"] = answering(described)
    for one in described:
        github.answers[f"repos/{one['full_name']}"] = answering(one)


def answering(found: object) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(200, json=found)


def private_repositories(github: OneRepository, *names: str) -> None:
    """Each with Ada as its one collaborator."""
    listed = [
        {**github.described, "id": number, "full_name": f"acme/{name}", "private": True}
        for number, name in enumerate(names, 1)
    ]
    list_repositories(github, *listed)
    github.answers["/api/graphql"] = lambda request: found(u0={"email": "ada@acme.test"})
    for name in names:
        github.answers[f"repos/acme/{name}/collaborators"] = lambda request: people("ada")


def failing(status: int) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(status, json={"message": "no"})


@pytest.mark.parametrize("status", [403, 404, 451, 500])
def test_one_repository_whose_collaborators_cannot_be_read_leaves_the_others_alone(
    github: OneRepository, connector: GitHubConnector, status: int
) -> None:
    private_repositories(github, "one", "two", "three")
    github.answers["repos/acme/two/collaborators"] = failing(status)
    first, second, third = connector.memberships()
    assert (first, third) == (Membership("1", "ada@acme.test"), Membership("3", "ada@acme.test"))
    assert isinstance(second, UnreadableGroup)
    assert (second.group, "repos/acme/two/collaborators" in second.reason) == ("2", True)


def test_who_takes_over_the_name_of_a_repository_is_no_collaborator_of_it(
    github: OneRepository, connector: GitHubConnector
) -> None:
    """After the list: the collaborators of that name are told of the new one."""
    private_repositories(github, "one", "two")
    github.answers["repos/acme/one"] = answering({**github.described, "id": 9})
    first, second = connector.memberships()
    assert (first.group, second) == ("1", Membership("2", "ada@acme.test"))
    assert isinstance(first, UnreadableGroup)
    assert "its name now belongs to another one (9)" in first.reason


def test_many_repositories_that_fail_do_not_hide_the_next_while_the_server_answers(
    github: OneRepository, connector: GitHubConnector
) -> None:
    private_repositories(github, "a", "b", "c", "d", "e")
    for name in "abcd":
        github.answers[f"repos/acme/{name}/collaborators"] = failing(500)
    *unreadable, last = connector.memberships()
    assert [one.group for one in unreadable if isinstance(one, UnreadableGroup)] == ["1", "2", "3", "4"]
    assert last == Membership("5", "ada@acme.test")
    assert github.paths()["rate_limit"] == 1


def test_a_limit_stops_the_reading_of_groups(github: OneRepository, connector: GitHubConnector) -> None:
    private_repositories(github, "one", "two")
    github.answers["repos/acme/two/collaborators"] = lambda request: httpx.Response(
        429, headers={"retry-after": "99999"}
    )
    found: list[MembershipItem] = []
    with pytest.raises(RateLimited):
        found.extend(connector.memberships())
    assert found == [Membership("1", "ada@acme.test")]


@pytest.mark.parametrize("status", [403, 451])
def test_a_refused_repository_is_no_trouble_of_the_other_groups(
    github: OneRepository, connection: GitHubConnection, status: int
) -> None:
    private_repositories(github, "one")
    github.answers["repos/corp/core"] = failing(status)
    both = connection.model_copy(update={"include": ("acme/*", "corp/core")})
    assert list(connect(both, github.transport()).memberships()) == [Membership("1", "ada@acme.test")]


def test_of_a_repository_whose_look_up_fails_the_group_is_left_open(
    github: OneRepository, connection: GitHubConnection
) -> None:
    """Not named, it would lose its members: so the reading does not end well, after all others."""
    private_repositories(github, "one")
    github.answers["repos/corp/core"] = failing(500)
    both = connection.model_copy(update={"include": ("acme/*", "corp/core")})
    found: list[MembershipItem] = []
    with pytest.raises(UnreadableUnits, match="corp/core"):
        found.extend(connect(both, github.transport()).memberships())
    assert found == [Membership("1", "ada@acme.test")]


def test_public_repositories_need_no_memberships(github: OneRepository, connector: GitHubConnector) -> None:
    assert list(connector.memberships()) == []
    assert set(github.paths()) == {"user/repos"}
