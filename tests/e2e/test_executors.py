"""Runs whose steps are executed by several processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from assets.instance import dagster_instance
from pipelines.landing import Landing
from pipelines.settings import load_settings
from tests.e2e.conftest import Folder, embedding_settings
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import TOKEN, GitHub, serving
from tests.paths import ROOT


@pytest.mark.slow
def test_steps_are_executed_by_processes_of_their_own(folder: Folder, embeddings: EmbeddingsServer) -> None:
    github = GitHub()
    for number in range(3):
        github.issue(github.repository(f"acme/api-{number}"), "Trouble", f"The pump {number} is stuck.")
    with serving(github) as url:
        acme = {"id": "acme", "source": "github", "token": TOKEN, "base_url": url}
        folder.settings(
            connections=[acme], embedding=embedding_settings(embeddings), runs={"executor": "multiprocess", "slots": 2}
        )
        settings = load_settings(folder.path / "headrace.yaml", environment={})
        with dagster_instance(settings):
            home = settings.state_path / "dagster"
        done = execute(folder.path, home)
        assert done.returncode == 0, done.stderr[-2000:]
    with dagster_instance(settings) as instance:
        (run,) = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.SUCCESS
        pids = {
            entry.dagster_event.pid for entry in instance.all_logs(run.run_id) if entry.dagster_event and entry.step_key
        }
        assert len(pids - {None}) >= 3
        assert len(instance.get_materialized_partitions(dg.AssetKey(["acme", "vectors"]))) == 3
    assert list(Landing(settings).files.list("steps")) == []


def execute(directory: Path, home: Path) -> subprocess.CompletedProcess[str]:
    dagster = str(Path(sys.executable).parent / "dagster")
    command = [dagster, "job", "execute", "-m", "assets.definitions", "-j", "sync_acme"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DAGSTER_HOME": str(home.absolute())}
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, timeout=600)
