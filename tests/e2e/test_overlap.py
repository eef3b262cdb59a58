"""Two syncs of one unit at once: the second skips it and says so, on the command line and in Dagster."""

from __future__ import annotations

import re
from collections.abc import Iterator

import dagster as dg
import pytest

from assets.instance import dagster_instance
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.e2e.conftest import Folder, embedding_settings
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import TOKEN, GitHub, serving

UNIT = r"acme/\d+ is being synced by \S+ process \d+ since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"


@pytest.fixture
def synced(folder: Folder, embeddings: EmbeddingsServer) -> Iterator[Folder]:
    github = GitHub()
    github.issue(github.repository("acme/api"), "The pump", "It is stuck.")
    with serving(github) as url:
        connection = {"id": "acme", "source": "github", "token": TOKEN, "base_url": url}
        folder.settings(connections=[connection], embedding=embedding_settings(embeddings))
        assert folder.headrace("sync").code == 0
        yield folder


@pytest.mark.slow
def test_a_unit_that_is_being_synced_is_skipped_and_no_failure(synced: Folder) -> None:
    settings = load_settings(synced.path / "headrace.yaml", environment={})
    with Services(settings) as services:
        (state,) = services.catalog.units.all()
        with services.catalog.leases.hold("acme", state.unit.id):
            ran = synced.headrace("sync")
            assert (ran.code, len(re.findall(f"(?m)^skipped: {UNIT}$", ran.output))) == (0, 1), ran
            again = synced.headrace("backfill", "acme")
            assert (again.code, len(re.findall(f"(?m)^skipped: {UNIT}$", again.output))) == (0, 1), again
            assert synced.headrace("sync", "--full").code == 1, "all of it was asked for, and not read"
    with dagster_instance(settings) as instance:
        records = instance.fetch_observations(dg.AssetKey(["acme", "documents"]), limit=10).records
        said = [
            str(record.asset_observation.metadata["skipped"].value) for record in records if record.asset_observation
        ]
        assert [re.fullmatch(UNIT, one) is not None for one in said] == [True, True]
        runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
        assert len(runs) == 1, "the full sync"
