"""The stack of `infra/` without its containers: the same commands and files, on PostgreSQL, an S3 API and Qdrant's."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
import yaml

from pipelines.catalog.revisions import HEAD
from pipelines.cli.demo.settings import write_settings
from pipelines.cli.demo.sources import serve_company
from pipelines.settings import DEMO_KEY
from tests.dagster_api import DagsterApi, end_all, wait_for
from tests.emulators.company import free_port
from tests.emulators.qdrant_server import serve_qdrant
from tests.paths import ROOT
from tests.stack_environment import stack_environment

pytestmark = pytest.mark.slow

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "infra" / "compose.yaml").read_text())["services"]
GRACE = {"30s": 30.0, "1m": 60.0}
"""Seconds of each `stop_grace_period`."""


@dataclass
class Stack:
    """`home` is DAGSTER_HOME; `ports` stand for those of the compose file."""

    home: Path
    environment: dict[str, str]
    ports: dict[str, int]

    def command(self, service: str) -> list[str]:
        """The compose file's, with a port and an address of this machine."""
        words = shlex.split(SERVICES[service]["command"])
        replaced = {"0.0.0.0": "127.0.0.1"} | {name: str(port) for name, port in self.ports.items()}
        program, *rest = [replaced.get(word, word) for word in words]
        if service == "retrieval":
            rest += ["--port", str(self.ports["8800"])]
        return [str(Path(sys.executable).with_name(program)), *rest]

    @contextmanager
    def running(self, services: Sequence[str]) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
        processes = {}
        for service in services:
            with (self.home / f"{service}.log").open("wb") as log:
                processes[service] = subprocess.Popen(
                    self.command(service),
                    cwd=self.home,
                    env=self.environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        try:
            yield processes
        finally:
            end_all(processes)


@pytest.fixture
def stack(turn: None, tmp_path: Path, new_postgres_database: Callable[[], str]) -> Iterator[Stack]:
    from moto.server import ThreadedMotoServer

    home = tmp_path / "home"
    home.mkdir()
    for file in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(ROOT / "infra" / file, home)
    s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    s3.start()
    with serve_company(tmp_path / "sources") as sources, serve_qdrant() as qdrant:
        own = yaml.safe_load(write_settings(sources, tmp_path / "demo").read_text())
        shared = yaml.safe_load((ROOT / "infra" / "settings.yaml").read_text())
        kept = {name: own[name] for name in ("connections", "assistants")}
        (home / "headrace.yaml").write_text(yaml.safe_dump(shared | kept))
        host, port = s3.get_host_and_port()
        ports = {name: free_port() for name in ("3000", "4000", "8800", "9464", "9465")}
        catalog, runs = (new_postgres_database() for _ in range(2))
        environment = stack_environment(
            home,
            files=tmp_path / "files",
            catalog=catalog,
            runs=runs,
            s3=f"http://{host}:{port}",
            qdrant=os.environ.get("QDRANT_URL", qdrant),
            definitions=ports["4000"],
        )
        environment |= {"METRICS_PORT": str(ports["9464"]), "WORKER_METRICS_PORT": str(ports["9465"])}
        yield Stack(home, environment, ports)
    s3.stop()


def sync(dagster: DagsterApi, job: str, processes: dict[str, subprocess.Popen[bytes]]) -> None:
    """One after the other: a run is a process, and of a busy machine four at once ask more than Dagster waits for."""

    def has_finished() -> bool:
        assert dagster.failures() == []
        return dagster.statuses().get(job) == "SUCCESS"

    dagster.launch("headrace", job)
    wait_for(has_finished, processes)


def test_the_stack_syncs_the_sample_company(stack: Stack) -> None:
    done = subprocess.run(
        stack.command("migrate"), cwd=stack.home, env=stack.environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, f"the catalog was made at revision {HEAD}\n"), done.stderr
    client = boto3.client(
        "s3",
        endpoint_url=stack.environment["S3_URL"],
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="s",
    )
    assert [bucket["Name"] for bucket in client.list_buckets()["Buckets"]] == ["headrace"]
    with stack.running(["definitions", "webserver", "daemon", "worker", "retrieval"]) as processes:
        dagster = DagsterApi(f"http://127.0.0.1:{stack.ports['3000']}")
        wait_for(lambda: dagster.locations() == ["headrace"], processes)
        for source in ("github", "slack", "notion", "drive"):
            sync(dagster, f"sync_millbrook_{source}", processes)
        url = f"http://127.0.0.1:{stack.ports['8800']}/v1/search"
        question = {"query": "lost readings telemetry gateway", "user": "ada.lindqvist@millbrook.example"}
        found = httpx.post(url, json=question, headers={"Authorization": f"Bearer {DEMO_KEY}"}, timeout=60)
        assert any("INC-31" in result["title"] for result in found.raise_for_status().json()["results"]), found.text
        assert list((stack.home.parent / "files").rglob("*.out")), "steps leave what they print for the webserver"
        for process in processes.values():
            process.terminate()
        ended = {name: process.wait(GRACE[SERVICES[name]["stop_grace_period"]]) for name, process in processes.items()}
        assert ended.keys() == processes.keys()
    # Dagster tries to make folders of its telemetry even where that is off, and goes on where it cannot.
    written = {entry.name for entry in stack.home.iterdir() if entry.suffix != ".log"}
    assert written == {"dagster.yaml", "workspace.yaml", "headrace.yaml", ".headrace", "logs", ".logs_queue"}
