"""`make dev` on fresh state: the pages answer, a run succeeds, and one signal ends it all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.dagster_api import DagsterApi, end_all, wait_for
from tests.emulators.company import free_port
from tests.paths import ROOT

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("time", range(10))
def test_it_starts_on_fresh_state(tmp_path: Path, time: int) -> None:
    """Ten times: whether two processes break the history that both make depends on their luck."""
    for file in ("dagster.yaml", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path)
    (tmp_path / "headrace.yaml").write_text("connections: []\n")
    ports = [free_port(), free_port()]
    command = [
        sys.executable,
        "-m",
        "pipelines.cli.demo.dev",
        f"--dagster-port={ports[0]}",
        f"--server-port={ports[1]}",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (tmp_path / "dev.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    dagster = DagsterApi(f"http://127.0.0.1:{ports[0]}")
    started = {"dev": process}
    try:
        wait_for(lambda: bool(dagster.locations()), started)
        wait_for(lambda: httpx.get(f"http://127.0.0.1:{ports[1]}/healthz").is_success, started)
        dagster.launch(dagster.locations()[0], "events")
        wait_for(lambda: dagster.statuses()["events"] == "SUCCESS", started)
        process.terminate()
        assert process.wait(60) == 0
    finally:
        end_all(started)
    assert "Traceback" not in (tmp_path / "dev.log").read_text()
