"""What is in trouble is told by every interface alike, since when, and until it is over."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import httpx
import pytest
from dagster._core.storage.partition_status_cache import AssetPartitionStatus
from starlette.responses import JSONResponse, Response

from assets.definitions import build_definitions
from assets.instance import dagster_instance
from assets.partitions import partitions_of
from assets.resources import Runtime
from pipelines.settings import load_settings
from tests.e2e.conftest import Folder, Ran, embedding_settings
from tests.e2e.test_stop import PATIENCE, hanging_server
from tests.emulators.company import free_port
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import TOKEN, WEBHOOK_SECRET, GitHub, serving
from tests.emulators.posts import Posts

pytestmark = pytest.mark.filterwarnings("ignore::dagster.SupersessionWarning", "ignore::dagster.BetaWarning")

METRICS_KEY = "a-key-for-prometheus-alone"
DOCUMENTS = dg.AssetKey(["acme", "documents"])
IN_TIME = dg.AssetCheckKey(dg.AssetKey(["acme", "units"]), "connection_in_time")
AWAY = "acme: the source does not answer, since "

Headrace = Callable[..., Ran]


@pytest.fixture
def posts() -> Iterator[Posts]:
    with closing(Posts()) as receiving:
        yield receiving


@pytest.fixture
def github(folder: Folder, embeddings: EmbeddingsServer, posts: Posts) -> Iterator[GitHub]:
    """Two repositories, read once."""
    github = GitHub()
    for name in ("acme/api", "acme/web"):
        github.issue(github.repository(name), "Trouble", f"The pump of {name} is stuck.")
    with serving(github) as url:
        acme = {"id": "acme", "source": "github", "token": TOKEN, "base_url": url, "webhook_secret": WEBHOOK_SECRET}
        folder.settings(
            connections=[acme],
            embedding=embedding_settings(embeddings),
            metrics={"key": METRICS_KEY},
            notifications={"kind": "webhook", "url": posts.url},
        )
        yield github


@pytest.fixture
def service(folder: Folder, github: GitHub, headrace: Headrace) -> Iterator[str]:
    """`headrace serve` over what was read; its address."""
    assert headrace("sync").code == 0
    port = free_port()
    process = folder.started("serve", "--port", str(port))
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            assert process.poll() is None
            try:
                httpx.get(f"{url}/healthz", timeout=1).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait()


def take_down(github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(_: object) -> Response:
        return JSONResponse({"message": "away"}, 503)

    monkeypatch.setattr(github, "answered", unavailable)


def figures(url: str) -> list[str]:
    answer = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {METRICS_KEY}"}).raise_for_status()
    return [line for line in answer.text.splitlines() if not line.startswith("#")]


def partitions(folder: Path) -> set[AssetPartitionStatus | None]:
    """As Dagster shows the repositories."""
    with dagster_instance(load_settings(folder / "headrace.yaml", {})) as instance:
        keys = list(instance.get_dynamic_partitions("acme"))
        assert len(keys) == 2
        shown = instance.get_status_by_partition(DOCUMENTS, keys, partitions_of("acme"))
        return set((shown or {}).values())


def is_in_time(folder: Path) -> bool:
    """What the check says that was evaluated last."""
    with dagster_instance(load_settings(folder / "headrace.yaml", {})) as instance:
        (record,) = instance.event_log_storage.get_asset_check_execution_history(IN_TIME, limit=1)
        assert record.event is not None
        assert record.event.dagster_event is not None
        return record.event.dagster_event.asset_check_evaluation_data.passed


def test_a_source_that_is_down_is_told_everywhere_until_it_is_back(
    folder: Folder, github: GitHub, headrace: Headrace, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert httpx.get(f"{service}/readyz").text == "ok"
    assert headrace("status", "--json").json["health"] == {"status": "ok", "incidents": []}
    assert (partitions(folder.path), is_in_time(folder.path)) == ({AssetPartitionStatus.MATERIALIZED}, True)

    with monkeypatch.context() as outage:
        take_down(github, outage)
        ran = headrace("sync", "--json")
        assert (ran.code, "HTTP 503" in ran.json["errors"]["acme"]) == (1, True)
        (incident,) = headrace("status", "--json").json["health"]["incidents"]
        headrace("sync")
        status = headrace("status", "--json").json
        (same,) = status["health"]["incidents"]
        assert (same["kind"], same["connection"], same["since"]) == ("source_unavailable", "acme", incident["since"])
        assert same["attempts"] == 2
        units = status["connections"][0]["units"]
        assert [("HTTP 503" in unit["error"], unit["failing_since"] is not None) for unit in units] == [
            (True, True)
        ] * 2
        text = headrace("status").output
        assert f"trouble  {AWAY}" in text
        assert "HTTP 503; each sync asks again by itself" in text
        ready = httpx.get(f"{service}/readyz")
        assert (ready.status_code, ready.text.splitlines()[0]) == (200, "degraded")
        assert ready.text.splitlines()[1].startswith(AWAY)
        (age,) = [line for line in figures(service) if line.startswith("headrace_incident_age_seconds")]
        assert age.startswith('headrace_incident_age_seconds{connection="acme",kind="source_unavailable"} ')
        assert partitions(folder.path) == {AssetPartitionStatus.FAILED}
        assert not is_in_time(folder.path)

    assert headrace("sync").code == 0
    assert httpx.get(f"{service}/readyz").text == "ok"
    assert headrace("status", "--json").json["health"] == {"status": "ok", "incidents": []}
    assert not any(line.startswith("headrace_incident_age_seconds") for line in figures(service))
    assert (partitions(folder.path), is_in_time(folder.path)) == ({AssetPartitionStatus.MATERIALIZED}, True)


@pytest.mark.slow
def test_a_shut_gate_fails_the_sync_and_is_told_until_it_opens(
    folder: Folder, github: GitHub, headrace: Headrace, service: str, embeddings: EmbeddingsServer
) -> None:
    golden = folder.path / "golden.jsonl"
    golden.write_text('{"query": "what is stuck?", "expected": ["github:acme/nowhere"]}\n')
    settings = (folder.path / "headrace.yaml").read_text()
    with (folder.path / "headrace.yaml").open("a") as file:
        file.write("golden: {file: golden.jsonl, recall_at_10: 1.0}\n")
    ran = headrace("sync", "--json")
    assert (ran.code, list(ran.json["errors"])) == (1, ["retrieval"])
    assert "not published, the version before stays live: golden questions: recall@10 0.000" in headrace("sync").output
    (incident,) = headrace("status", "--json").json["health"]["incidents"]
    assert incident["kind"] == "gate"
    assert "golden questions" in incident["error"]
    assert "2 documents, 2 points wait" in incident["error"]
    ready = httpx.get(f"{service}/readyz")
    assert (ready.status_code, "what was indexed is not published" in ready.text) == (200, True)
    assert "what is stuck" not in ready.text, "questions are not everybody's"
    assert "headrace_gate_open 0.0" in figures(service)
    (folder.path / "headrace.yaml").write_text(settings)
    assert headrace("sync").code == 0
    assert (httpx.get(f"{service}/readyz").text, "headrace_gate_open 1.0" in figures(service)) == ("ok", True)


@pytest.mark.slow
def test_work_that_hangs_is_named_with_its_process_until_that_is_ended(
    folder: Folder, github: GitHub, headrace: Headrace, service: str, embeddings: EmbeddingsServer
) -> None:
    settings = (folder.path / "headrace.yaml").read_text()
    github.edit_issue(github.repositories["acme/api"], 1, body="The pump of acme/api hums.")
    with hanging_server() as (nowhere, asked):
        (folder.path / "headrace.yaml").write_text(settings.replace(embeddings.url, f"{nowhere}/v1"))
        hanging = folder.started("sync")
        assert asked.wait(PATIENCE)
        assert headrace("status", "--json").json["health"] == {"status": "ok", "incidents": []}
        let_hours_pass(folder.path)
        (incident,) = headrace("status", "--json").json["health"]["incidents"]
        assert (incident["kind"], incident["connection"], len(incident["units"])) == ("stalled", "acme", 1)
        assert f"process {hanging.pid} holds the lease of acme/" in incident["error"]
        said = "acme: a process holds units and keeps nothing of them any more, since "
        assert f"\n{said}" in httpx.get(f"{service}/readyz").text
        assert any(
            line.startswith('headrace_incident_age_seconds{connection="acme",kind="stalled"} ')
            for line in figures(service)
        )
        hanging.kill()
        hanging.wait()
    (folder.path / "headrace.yaml").write_text(settings)
    assert headrace("sync").code == 0
    assert headrace("status", "--json").json["health"] == {"status": "ok", "incidents": []}


@pytest.mark.slow
def test_a_spool_that_was_set_aside_is_told_until_it_is_removed(
    folder: Folder, headrace: Headrace, service: str
) -> None:
    spool = folder.path / ".headrace" / "spool"
    spool.mkdir(exist_ok=True)
    (spool / "deliveries.db").write_bytes(b"no database" * 1_000)
    deadline = time.monotonic() + PATIENCE
    while not (damaged := list(spool.glob("damaged-*.db"))):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (incident,) = headrace("status", "--json").json["health"]["incidents"]
    assert (incident["kind"], incident["error"]) == ("spool", str(damaged[0]))
    ready = httpx.get(f"{service}/readyz")
    assert (ready.status_code, "on a server's disk are in a damaged file" in ready.text) == (200, True)
    assert str(spool) not in ready.text, "paths are not everybody's"
    assert any('kind="spool"' in line for line in figures(service))
    damaged[0].unlink()
    assert headrace("status", "--json").json["health"] == {"status": "ok", "incidents": []}
    assert httpx.get(f"{service}/readyz").text == "ok"


def let_hours_pass(folder: Path) -> None:
    """Since anything of the catalog was kept, and since the lease was taken."""
    with closing(sqlite3.connect(folder / ".headrace" / "catalog.db")) as catalog, catalog:
        for table, moment in (("leases", "since"), ("loads", "landed_at"), ("documents", "changed_at")):
            catalog.execute(f"UPDATE {table} SET {moment} = datetime({moment}, '-2 hours')")


@pytest.mark.slow
def test_a_change_of_health_is_posted_once(
    folder: Folder, github: GitHub, headrace: Headrace, posts: Posts, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert headrace("sync").code == 0
    settings = load_settings(folder.path / "headrace.yaml", {})
    definitions = build_definitions(settings)
    sensor = definitions.resolve_sensor_def("health_notifications")
    with dagster_instance(settings) as instance:
        context = dg.build_sensor_context(
            instance,
            repository_def=definitions.get_repository_def(),
            resources={"runtime": Runtime(settings)},
        )

        def tick() -> int:
            """How many were posted."""
            before = len(posts.bodies)
            sensor.evaluate_tick(context)
            return len(posts.bodies) - before

        assert tick() == 0
        with monkeypatch.context() as outage:
            take_down(github, outage)
            headrace("sync")
            posts.is_broken = True
            with pytest.raises(Exception, match=r"127\.0\.0\.1 has not taken the notification \(HTTP 500\)") as refused:
                tick()
            assert "secret-of-the-hook" not in str(refused.value)
            posts.is_broken = False
            assert tick() == 1
            headrace("sync")
            assert tick() == 0
        assert headrace("sync").code == 0
        assert (tick(), tick()) == (1, 0)
    begun, over = posts.bodies
    assert (begun["status"], over["status"]) == ("degraded", "ok")
    assert begun["text"].startswith(f"In trouble: {AWAY}")
    assert over["text"].startswith(f"Over: {AWAY}")
