"""What the chart's containers run, run here: on PostgreSQL, an S3 API and Qdrant's, as its pods would be."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy.engine import make_url

from pipelines.catalog.revisions import HEAD
from pipelines.cli.demo.settings import write_settings
from pipelines.cli.demo.sources import TOKEN, serve_company
from pipelines.settings import DEMO_KEY
from tests.dagster_api import DagsterApi, end_all, wait_for
from tests.emulators.company import free_port
from tests.emulators.postgres import make_database
from tests.emulators.qdrant_server import serve_qdrant
from tests.infra.helm_chart import render
from tests.infra.pod_processes import Node, PodProcess
from tests.infra.pod_service import Service, ask

pytestmark = pytest.mark.slow

PARTS = ("headrace-definitions", "headrace-dagster-webserver", "headrace-dagster-daemon", "headrace-worker")
IN_PROCESSES: dict[str, Any] = {
    "runLauncher": {
        "type": "CustomRunLauncher",
        "config": {"customRunLauncher": {"module": "dagster", "class": "DefaultRunLauncher", "config": {}}},
    }
}
"""Without a cluster, runs are processes of the code location."""


@pytest.fixture(scope="module")
def node(turn: None, module_folder: Callable[[str], Path], postgres_url: str) -> Iterator[Node]:
    from moto.server import ThreadedMotoServer

    root = module_folder("node")
    s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    s3.start()
    catalog, history = (make_url(make_database(postgres_url)) for _ in range(2))
    with serve_company(root / "sources") as sources, serve_qdrant() as qdrant:
        own = yaml.safe_load(write_settings(sources, root / "demo").read_text())
        host, port = s3.get_host_and_port()
        values = {
            "settings": {
                "landing": {"url": "s3://headrace/landing", "endpoint_url": f"http://{host}:{port}"},
                "index": {"url": qdrant},
                "connections": [one | {"token": "${SOURCES_TOKEN}"} for one in own["connections"]],
                "assistants": [one | {"api_key": "${DEMO_KEY}"} for one in own["assistants"]],
            },
            "catalog": {"database": catalog.database},
            "retrieval": {"drainSeconds": 6},
            "dagster": {
                "postgresql": {
                    "postgresqlHost": catalog.host,
                    "postgresqlUsername": catalog.username,
                    "postgresqlDatabase": history.database,
                    "service": {"port": catalog.port},
                },
                **IN_PROCESSES,
            },
        }
        variables = {"QDRANT_API_KEY": "none", "SOURCES_TOKEN": TOKEN, "DEMO_KEY": DEMO_KEY}
        keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}
        secrets = {
            "headrace": variables | keys,
            "headrace-postgresql": {"postgresql-password": catalog.password or "none"},
        }
        yield Node(root, render(values), secrets, ("headrace-definitions",), {4000: free_port(), 3000: free_port()})
    s3.stop()


def until_ready(*pods: PodProcess) -> None:
    processes = {one.workload["metadata"]["name"]: one.running for one in pods}
    try:
        for one in pods:
            if "readinessProbe" in one.container:
                wait_for(lambda one=one: one.answers("readinessProbe"), processes)  # type: ignore[misc]
    except AssertionError as error:
        raise AssertionError("\n".join(one.log[-3_000:] for one in pods)) from error


@pytest.fixture(scope="module")
def release(node: Node) -> Iterator[dict[str, PodProcess]]:
    """All pods of an installation, after its migration."""
    migration = node.start("Job", "headrace-migrate")
    assert migration.running.wait(120) == 0, migration.log
    assert f"the catalog was made at revision {HEAD}" in migration.log
    pods = {name: node.start("Deployment", name) for name in PARTS}
    pods["headrace-retrieval"] = node.start("Deployment", "headrace-retrieval")
    try:
        until_ready(*pods.values())
        yield pods
    finally:
        end_all({name: one.running for name, one in pods.items()})


@pytest.fixture(scope="module")
def synced(release: dict[str, PodProcess]) -> dict[str, PodProcess]:
    """With a source of the sample company in the index, by a run that Dagster was asked for."""
    processes = {name: one.running for name, one in release.items()}
    dagster = DagsterApi(release["headrace-dagster-webserver"].url(3000))
    wait_for(lambda: dagster.locations() == ["headrace"], processes)

    def has_finished() -> bool:
        assert dagster.failures() == []
        return dagster.statuses().get("sync_millbrook_slack") == "SUCCESS"

    dagster.launch("headrace", "sync_millbrook_slack")
    wait_for(has_finished, processes)
    return release


def test_every_probe_is_answered(release: dict[str, PodProcess]) -> None:
    for name, one in release.items():
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            if probe in one.container:
                assert one.answers(probe), (name, probe)


def test_dagster_is_told_in_which_image_runs_start(release: dict[str, PodProcess]) -> None:
    dagster = DagsterApi(release["headrace-dagster-webserver"].url(3000))
    wait_for(lambda: dagster.locations() == ["headrace"], {name: one.running for name, one in release.items()})
    assert dagster.images() == [release["headrace-definitions"].container["image"]]


def test_figures_are_where_prometheus_is_sent(release: dict[str, PodProcess]) -> None:
    for name, port in (("headrace-worker", 9465), ("headrace-retrieval", 9464)):
        figures = httpx.get(f"{release[name].url(port)}/metrics", timeout=60).raise_for_status().text
        assert "headrace_inbox_oldest_age_seconds{" in figures


def test_a_question_is_answered(synced: dict[str, PodProcess]) -> None:
    with httpx.Client(timeout=60) as client:
        found = ask(client, synced["headrace-retrieval"].url(8800)).raise_for_status().json()
    assert any("INC-31" in str(result) for result in found["results"]), found


def test_a_command_works_in_a_pod(synced: dict[str, PodProcess]) -> None:
    """As by `kubectl exec deploy/headrace-worker`."""
    status = json.loads(synced["headrace-worker"].execute("headrace", "status", "--json"))
    totals = {one["id"]: one["totals"]["indexed"] for one in status["connections"]}
    assert totals["millbrook-slack"] > 0


@pytest.fixture
def servers(node: Node, synced: dict[str, PodProcess]) -> Iterator[Callable[[int], list[PodProcess]]]:
    started: list[PodProcess] = []

    def start(number: int) -> list[PodProcess]:
        new = [node.start("Deployment", "headrace-retrieval") for _ in range(number)]
        started.extend(new)
        until_ready(*new)
        return new

    yield start
    end_all({one.folder.name: one.running for one in started})


def test_a_roll_out_loses_no_request(servers: Callable[[int], list[PodProcess]]) -> None:
    old = servers(2)
    service = Service(list(old))
    with service.under_load():
        for one in old:
            service.pods += servers(1)
            assert service.delete(one, drained=True) == 143
        time.sleep(1)
    assert service.lost == []
    assert len(service.answered) == 4
    assert min(service.answered.values()) > 5


def test_without_what_comes_before_the_end_requests_would_be_lost(servers: Callable[[int], list[PodProcess]]) -> None:
    old = servers(1)
    service = Service(old + servers(1))
    with service.under_load():
        service.delete(old[0], drained=False)
    assert service.lost


def test_a_pod_ends_within_its_grace(synced: dict[str, PodProcess]) -> None:
    codes = {name: synced[name].stop() for name in ("headrace-worker", "headrace-definitions")}
    assert codes == {"headrace-worker": 143, "headrace-definitions": 0}
