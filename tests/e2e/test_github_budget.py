"""What an hour in which nothing happens costs of GitHub's quota; and that who loses access in it has lost it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from connectors.github.settings import GitHubConnection
from connectors.registry import connect
from pipelines.ingestion.connection_rights import refresh_memberships
from pipelines.services import Services
from pipelines.settings import Settings, load_settings
from tests.e2e.conftest import Folder, embedding_settings
from tests.e2e.office import ADA, BOB, Office, office
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import TOKEN, GitHub, Repository, serving

SYNCS, READINGS = 4, 6
"""In an hour, at the default schedules. A sync that is asked for reads the memberships as well."""
BUDGET = 3
OF_THE_CONNECTION = SYNCS + READINGS + SYNCS
"""People's addresses; and the question where discussions have changed."""


@pytest.fixture
def github() -> GitHub:
    return GitHub(emails={"ada": ADA, "bob": BOB})


def a_repository(github: GitHub, name: str, **described: Any) -> Repository:
    made = github.repository(name, private=True, **{"collaborators": ["ada", "bob"], **described})
    github.issue(made, "Zebra", "The zebra is bought.")
    github.issue(made, "Another zebra", "By water.", pull=True)
    github.discussion(made, "Which zebra?", "A zebra of olives?")
    github.release(made, "v1", "The first zebra.")
    github.write(made, "zebra.md", "# Zebra\n\nIt turns.")
    return made


@pytest.mark.slow
def test_an_idle_repository_costs_at_most_three_counted_requests_an_hour(
    folder: Folder, github: GitHub, embeddings: EmbeddingsServer
) -> None:
    repositories = [a_repository(github, f"acme/mill-{one}") for one in range(5)]
    github.repository("acme/new", private=True, collaborators=["ada"])
    github.issue(repositories[0], "A zebra more")  # so that some time has passed since it was made
    with serving(github) as url:
        connection = {"id": "gh", "source": "github", "token": TOKEN, "base_url": url}
        folder.settings(connections=[connection], embedding=embedding_settings(embeddings))
        for _ in range(2):  # the second one is the first that asks for what is new
            assert folder.headrace("sync", "--json").code == 0
        github.forget()
        for _ in range(SYNCS):
            assert folder.headrace("sync", "--json").json["errors"] == {}
        with Services(load_settings(folder.path / "headrace.yaml")) as services:
            for _ in range(READINGS):
                read_memberships(services)
    assert len(github.counted) <= OF_THE_CONNECTION < BUDGET * len(repositories)
    assert {path.partition("/")[0] for path in github.counted} == {"graphql"}


def read_memberships(services: Services) -> None:
    """As the schedule does, each time with a connector of its own."""
    (connection,) = services.settings.connections
    with closing(connect(connection)) as connector:
        refresh_memberships(services, connection, connector)


@pytest.fixture
def repository(github: GitHub) -> Repository:
    github.page_size = 2
    return a_repository(github, "acme/secret", collaborators=["ada", "cy", "bob", "dee"])


@pytest.fixture
def opened(github: GitHub, repository: Repository, settings: Settings) -> Iterator[Office]:
    described = {"id": "gh", "source": "github", "token": TOKEN}
    with serving(github) as url:
        connection = GitHubConnection.model_validate({**described, "base_url": url})
        with office(settings, connection) as it:
            assert it.sync() == {}
            read_memberships(it.services)
            assert it.found("zebra", ADA) == it.found("zebra", BOB) != set()
            yield it


def remove(login: str) -> Callable[[GitHub, Repository], None]:
    return lambda github, repository: repository.collaborators.remove(login)


def rename_and_remove(github: GitHub, repository: Repository) -> None:
    github.rename(repository, "acme/archive")
    repository.collaborators.remove("bob")


def withdraw_address(github: GitHub, repository: Repository) -> None:
    del github.emails["bob"]


@pytest.mark.one_case
@pytest.mark.parametrize(
    ("happens", "loses", "keeps"),
    [
        (remove("ada"), ADA, BOB),
        (remove("bob"), BOB, ADA),
        (rename_and_remove, BOB, ADA),
        (withdraw_address, BOB, ADA),
    ],
    ids=["page-1", "page-2", "renamed", "address"],
)
def test_who_is_removed_between_two_readings_finds_nothing_after_the_next(
    github: GitHub,
    repository: Repository,
    opened: Office,
    happens: Callable[[GitHub, Repository], None],
    loses: str,
    keeps: str,
) -> None:
    before = opened.found("zebra", keeps)
    happens(github, repository)
    read_memberships(opened.services)
    assert (opened.found("zebra", loses), opened.found("zebra", keeps)) == (set(), before)


def test_a_repository_that_is_closed_after_idle_hours_is_found_by_its_collaborators_alone(
    github: GitHub, repository: Repository, opened: Office
) -> None:
    repository.private = False
    for _ in range(2):
        assert opened.sync() == {}
    everybody = opened.found("zebra", "stranger@acme.test")
    assert everybody
    repository.private = True
    assert opened.sync() == {}
    assert opened.found("zebra", "stranger@acme.test") == set()
    assert opened.found("zebra", ADA) == everybody
