"""Commands where Dagster's run launcher starts runs elsewhere: they launch their runs, and follow them."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from starlette.responses import JSONResponse, Response

from tests.e2e.conftest import Folder, Ran, embedding_settings, own_environment
from tests.e2e.test_stop import until
from tests.emulators.detached_launcher import SETTINGS
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import TOKEN, GitHub, broken_gateway, serving
from tests.paths import ROOT

NOWHERE = {"load_from": [{"grpc_server": {"host": "127.0.0.1", "port": 9, "location_name": "headrace"}}]}


@dataclass
class Cluster:
    """A folder whose dagster.yaml names a launcher that is not local, and a source with two repositories."""

    folder: Folder
    github: GitHub
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"DAGSTER_HOME": str(self.home), "PYTHONPATH": str(ROOT)}

    def headrace(self, *arguments: str) -> Ran:
        return self.folder.headrace(*arguments, **self.environment)

    def runs(self) -> list[dg.DagsterRun]:
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            return list(instance.get_runs())

    @staticmethod
    def origin(run: dg.DagsterRun) -> str | None:
        return run.remote_job_origin.location_name if run.remote_job_origin else None

    def spent(self, asset: str) -> Any:
        """The tokens of today that an asset's last observation tells."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            (last,) = instance.fetch_observations(dg.AssetKey(asset.split("/")), limit=1).records
        assert last.asset_observation
        return last.asset_observation.metadata["embedding tokens today"].value

    def executors(self, run: dg.DagsterRun) -> set[int | None]:
        """The processes that have executed steps."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            return {
                entry.dagster_event.pid
                for entry in instance.all_logs(run.run_id)
                if entry.dagster_event and entry.dagster_event.is_step_start
            }


@pytest.fixture
def cluster(folder: Folder, embeddings: EmbeddingsServer) -> Iterator[Cluster]:
    github = GitHub()
    for name in ("pumps", "mills"):
        github.issue(github.repository(f"acme/{name}"), "Trouble", f"One of the {name} is stuck.")
    home = folder.path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text(yaml.safe_dump(SETTINGS | {"telemetry": {"enabled": False}}))
    with serving(github) as url:
        acme: dict[str, Any] = {"id": "acme", "source": "github", "token": TOKEN, "base_url": url}
        folder.settings(connections=[acme], embedding=embedding_settings(embeddings))
        yield Cluster(folder, github, home)


@pytest.mark.slow
def test_a_sync_is_launched_and_tells_what_it_did(cluster: Cluster, embeddings: EmbeddingsServer) -> None:
    ran = cluster.headrace("sync", "--json")
    assert (ran.code, ran.json["documents"]["new"], ran.json["errors"]) == (0, 2, {}), ran.errors
    assert ran.json["requests"]["acme"] > 0
    (run,) = cluster.runs()
    assert run.status == dg.DagsterRunStatus.SUCCESS
    (worker,) = cluster.executors(run)
    assert worker not in (None, os.getpid())
    assert cluster.spent("acme/units") == ran.json["embedding"]["tokens"] == embeddings.tokens > 0
    assert cluster.origin(run) == "assets.definitions"


@pytest.mark.slow
def test_a_backfill_is_launched_and_says_which_units_have_changed(cluster: Cluster) -> None:
    backfill = cluster.headrace("backfill", "acme", "--unit", "acme/mills")
    assert backfill.code == 0, backfill.errors
    assert "   acme/acme/mills (" in backfill.output
    assert [run.status for run in cluster.runs()] == [dg.DagsterRunStatus.SUCCESS]


@pytest.mark.slow
def test_what_fails_of_a_launched_run_is_told_by_the_command(cluster: Cluster) -> None:
    cluster.github.fail(9, lambda: JSONResponse({"message": "Bad credentials"}, 401))
    ran = cluster.headrace("sync", "--json")
    assert (ran.code, list(ran.json["errors"])) == (1, ["acme"])
    assert "check the connection's token" in ran.json["errors"]["acme"]
    assert [run.status for run in cluster.runs()] == [dg.DagsterRunStatus.FAILURE]
    cluster.github.faults.clear()
    unknown = cluster.headrace("sync", "acme/nowhere")
    assert (unknown.code, "nowhere" in unknown.errors) == (2, True)


def test_where_no_code_location_can_be_loaded_the_command_says_what_to_do(cluster: Cluster) -> None:
    (cluster.folder.path / "workspace.yaml").write_text(yaml.safe_dump(NOWHERE))
    ran = cluster.headrace("reconcile")
    (line,) = ran.errors.splitlines()
    assert (ran.code, ran.output, cluster.runs()) == (1, "", [])
    assert line.startswith("error: the job sync_acme cannot be launched: ")
    assert "workspace.yaml" in line


@pytest.mark.slow
def test_a_command_that_is_interrupted_leaves_its_run_alone(cluster: Cluster) -> None:
    asked, released = threading.Event(), threading.Event()

    def hang() -> Response:
        asked.set()
        assert released.wait(180)
        return broken_gateway()

    cluster.github.fail(1, hang)
    command = subprocess.Popen(
        cluster.folder.command("sync"),
        cwd=cluster.folder.path,
        env=own_environment() | cluster.environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert asked.wait(180)
        command.send_signal(signal.SIGINT)
        _, said = command.communicate(timeout=30)
    finally:
        released.set()
        command.kill()
        command.wait()
    (run,) = cluster.runs()
    *_, how_to_stop, why = said.splitlines()
    assert (command.returncode, why) == (130, "interrupted")
    assert how_to_stop == f"the run {run.run_id} goes on; to stop it, terminate it on Dagster's page, under Runs"
    until(lambda: cluster.runs()[0].status == dg.DagsterRunStatus.SUCCESS)
