"""What an hour in which nothing happens costs in a large workspace; and how soon what does happen is known there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import pytest
from dagster import Definitions

from assets.definitions import build_definitions
from assets.sync_steps import sync_run_config
from pipelines.services import Services
from pipelines.settings import Settings, load_settings
from tests.e2e.conftest import Folder, embedding_settings
from tests.e2e.office import ADA
from tests.elapsed import let_pass
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.notion import TOKEN, Notion, block, serving

pytestmark = pytest.mark.filterwarnings("ignore::dagster.SupersessionWarning")

BUDGET = 3
"""Requests for an idle unit in an hour."""
SYNCS, READINGS = 4, 6
NEVER = "0 0 1 1 *"
"""The schedule of memberships: the clock of the machine does not go with the hour of a test."""


@dataclass
class Company:
    """A workspace of which search shows four objects at a time."""

    folder: Folder
    notion: Notion
    tops: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)

    def fill(self, tops: int, pages: int) -> None:
        self.notion.person("Ada")
        self.tops = [self.notion.page(f"Zebras {one}", block("paragraph", "All zebras.")) for one in range(tops)]
        under = [self.tops[one % tops] for one in range(pages)]
        self.pages = [
            self.notion.page(f"Zebra {one}", block("paragraph", "A zebra."), under=top) for one, top in enumerate(under)
        ]
        self.notion.wait(days=1)

    def command(self) -> dict[str, str]:
        """What goes wrong of `headrace sync`."""
        errors: dict[str, str] = self.folder.headrace("sync", "--json").json["errors"]
        return errors

    @cached_property
    def definitions(self) -> Definitions:
        return build_definitions(self.settings)

    @property
    def settings(self) -> Settings:
        return load_settings(self.folder.path / "headrace.yaml")

    def tick(self, minutes: int = 15, job: str = "sync", *, fails: bool = False) -> int:
        """The job as its schedule runs it, some minutes later; returns how many requests that took."""
        with Services(self.settings) as services:
            let_pass(services, minutes)
        self.notion.wait(minutes=minutes)
        self.notion.log.clear()
        config = sync_run_config("notion", {"mode": "changes", "scheduled": True}) if job == "sync" else {}
        done = self.definitions.resolve_job_def(f"{job}_notion").execute_in_process(config, raise_on_error=False)
        assert done.success is not fails
        return len(self.notion.log)

    def unshare(self, top: str) -> None:
        """With all that stands below."""
        self.notion.sealed |= {top, *self.notion._below(top)}

    @property
    def found(self) -> set[str]:
        """Titles of what Ada finds."""
        asked = ("search", "zebra", "--mode", "lexical", "--top-k", "100", "--user", ADA, "--json")
        return {str(one["title"]) for one in self.folder.headrace(*asked).json["results"]}


@pytest.fixture
def company(folder: Folder, embeddings: EmbeddingsServer) -> Iterator[Company]:
    notion = Notion(page_size=4)
    with serving(notion) as url:
        connection = {"id": "notion", "source": "notion", "token": TOKEN, "base_url": url, "readers": ["workspace"]}
        connection["memberships_schedule"] = NEVER
        folder.settings(connections=[connection], embedding=embedding_settings(embeddings))
        yield Company(folder, notion)


@pytest.fixture
def read(company: Company) -> Company:
    """Four top pages, twelve below them, and one more that was edited before all of them and is not shared."""
    company.notion.page("Old zebra", block("paragraph", "An old zebra."))
    company.notion.sealed |= set(company.notion.objects)
    company.notion.wait(days=1)
    company.fill(4, 12)
    assert company.command() == company.command() == {}
    assert company.found == {f"Zebras {one}" for one in range(4)} | {f"Zebra {one}" for one in range(12)}
    return company


@pytest.mark.slow
def test_an_idle_top_page_of_a_large_workspace_costs_at_most_three_requests_an_hour(company: Company) -> None:
    company.fill(8, 12)
    assert company.command() == company.command() == {}
    complete = len(company.notion.objects) // company.notion.page_size
    syncs = [company.tick() for _ in range(SYNCS + 1)]
    assert syncs == [1, 1, 1, complete, 1]
    readings = sum(company.tick(0, "memberships") for _ in range(READINGS))
    assert sum(syncs[:SYNCS]) + readings <= BUDGET * len(company.tops) < SYNCS * complete + readings


@pytest.mark.slow
def test_what_an_edit_tells_of_is_found_by_the_next_sync_and_all_else_within_the_hour(read: Company) -> None:
    read.notion.sealed.clear()
    read.notion.rename(read.pages[3], "Striped zebra")
    assert read.tick() < 12
    assert "Striped zebra" in read.found
    assert read.tick() == read.tick() == 1
    assert "Old zebra" not in read.found
    read.tick()
    assert "Old zebra" in read.found
    read.notion.page("New zebra", block("paragraph", "A new zebra."))
    read.tick()
    assert "New zebra" in read.found


@pytest.mark.slow
def test_a_top_page_that_is_shared_no_more_is_hidden_within_the_hour_and_by_a_command_at_once(read: Company) -> None:
    before, lost = read.found, {"Zebras 1", "Zebra 1", "Zebra 5", "Zebra 9"}
    read.unshare(read.tops[1])
    assert [read.tick() for _ in range(3)] == [1, 1, 1]
    assert read.found == before
    read.tick(fails=True)  # so that somebody hears of it
    assert read.found == before - lost
    read.notion.edit(read.tops[0], block("paragraph", "All zebras, again."))
    read.tick()
    assert read.found == before - lost
    read.unshare(read.tops[2])
    assert "is out of reach" in " ".join(read.command().values())
    assert read.found == before - lost - {"Zebras 2", "Zebra 2", "Zebra 6", "Zebra 10"}
