"""What an hour in which nothing happens costs of GitHub's quota; and how soon what does happen is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import pytest
from dagster import Definitions

from assets.definitions import build_definitions
from assets.sync_steps import sync_run_config
from pipelines.services import Services
from pipelines.settings import Settings, load_settings
from tests.e2e.conftest import Folder, embedding_settings
from tests.elapsed import let_pass
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import TOKEN, GitHub, Repository, app_settings, serving

pytestmark = pytest.mark.filterwarnings("ignore::dagster.SupersessionWarning")

BUDGET = 3
"""Requests that count for an idle unit in an hour."""
SYNCS, READINGS = 4, 6
NEVER = "0 0 1 1 *"
"""The schedule of memberships: the clock of the machine does not go with the hour of a test."""
ADA = "ada@acme.test"


@dataclass
class Company:
    """Some private repositories in which nothing has happened for months."""

    folder: Folder
    github: GitHub
    repositories: list[Repository]

    @cached_property
    def definitions(self) -> Definitions:
        return build_definitions(self.settings)

    @property
    def settings(self) -> Settings:
        return load_settings(self.folder.path / "headrace.yaml")

    def tick(self, job: str, minutes: int) -> int:
        """The job as its schedule runs it, some minutes later; returns how many of its requests count."""
        with Services(self.settings) as services:
            let_pass(services, minutes)
        self.github.forget()
        config = sync_run_config("github", {"mode": "changes", "scheduled": True}) if job == "sync" else {}
        assert self.definitions.resolve_job_def(f"{job}_github").execute_in_process(config).success
        return len(self.github.counted)

    @property
    def found(self) -> set[str]:
        """Titles of what Ada finds."""
        asked = ("search", "zebra", "--mode", "lexical", "--top-k", "100", "--user", ADA, "--json")
        return {str(one["title"]) for one in self.folder.headrace(*asked).json["results"]}


@contextmanager
def company_of(folder: Folder, embeddings: EmbeddingsServer, kind: str, size: int) -> Iterator[Company]:
    github = GitHub(emails={"ada": ADA})
    mills = [github.repository(f"acme/{one}", private=True, collaborators=["ada", "bo"]) for one in range(size)]
    for one in mills:
        github.issue(one, f"Zebra {one.full_name}", "A zebra.")
        github.write(one, "README.md", "# Mill")
    with serving(github) as url:
        credentials = app_settings(github) if kind == "app" else {"token": TOKEN}
        connection = {"id": "github", "source": "github", "base_url": url, "memberships_schedule": NEVER, **credentials}
        folder.settings(connections=[connection], embedding=embedding_settings(embeddings))
        for _ in range(2):
            assert folder.headrace("sync", "--json").json["errors"] == {}
        yield Company(folder, github, mills)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "size"), [("token", 5), ("app", 12)], ids=["a-person-s-token", "an-app"])
def test_an_idle_repository_costs_at_most_three_requests_an_hour(
    folder: Folder, embeddings: EmbeddingsServer, kind: str, size: int
) -> None:
    with company_of(folder, embeddings, kind, size) as company:
        syncs = sum(company.tick("sync", 15) for _ in range(SYNCS))
        readings = sum(company.tick("memberships", 0) for _ in range(READINGS))
        assert syncs + readings <= BUDGET * size
        mill = company.repositories[3]
        assert company.found == {f"Zebra {one.full_name}" for one in company.repositories}
        company.github.issue(mill, "Striped", "Another zebra.")
        company.github.write(mill, "docs/zebra.md", "# All of them\n\nA zebra has stripes.")
        company.tick("sync", 15)
        assert company.found >= {"Striped", "docs/zebra.md"}
        mill.collaborators.remove("ada")
        company.tick("memberships", 0)
        assert not company.found & {f"Zebra {mill.full_name}", "Striped", "docs/zebra.md"}
        assert len(company.found) == size - 1
