"""A run whose process was killed ends, and one run at a time serves a purpose."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from sqlalchemy import update

from assets.definitions import build_definitions
from assets.instance import dagster_instance
from assets.jobs import events
from assets.resources import Runtime
from assets.unfinished_runs import DeadRuns, find_dead_runs
from connectors.webhooks import Event, Invalidation
from pipelines.catalog import tables
from pipelines.services import Services
from pipelines.settings import Settings, load_settings
from tests.paths import ROOT

pytestmark = pytest.mark.filterwarnings("ignore::dagster.SupersessionWarning")

SETTINGS = "connections: [{id: acme, source: github, token: t}]\n"
STUCK_SYNC = """
import sys, time
import assets.jobs, pipelines.ingestion.sync
from assets.orchestrator import DagsterOrchestrator
from pipelines.ingestion.options import Target
from pipelines.settings import load_settings
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

source = MemorySource()
source.put(document(0))

def hang(page):
    print("reading", flush=True)
    time.sleep(600)

source.before_page = hang
pipelines.ingestion.sync.connect = lambda connection: source
DagsterOrchestrator().sync(load_settings(), [Target("acme")])
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "headrace.yaml").write_text(SETTINGS)
    return load_settings(tmp_path / "headrace.yaml", environment={})


@contextmanager
def stuck_sync(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """A sync in a process of its own, that reads for ever."""
    command = [sys.executable, "-c", STUCK_SYNC]
    process = subprocess.Popen(command, cwd=settings.directory, env=_environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        assert process.stdout.readline() == "reading\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def look(settings: Settings, cursor: str | None = None) -> str | None:
    """What the sensor `dead_runs` says at one tick."""
    sensor = build_definitions(settings).resolve_sensor_def("dead_runs")
    with dagster_instance(settings) as instance:
        context = dg.build_sensor_context(instance, cursor=cursor, resources={"runtime": Runtime(settings)})
        return sensor.evaluate_tick(context).skip_message


def status(settings: Settings) -> str:
    with dagster_instance(settings) as instance:
        (run,) = instance.get_runs()
        return run.status.value


def test_a_killed_run_is_known_as_dead_at_the_next_look(settings: Settings) -> None:
    with stuck_sync(settings) as process:
        assert look(settings) == "1 runs at work, of which 0 had died"
        assert status(settings) == "STARTED"
        process.kill()
        process.wait()
        assert look(settings) == "1 runs at work, of which 1 had died"
        assert status(settings) == "FAILURE"
        assert look(settings) == "0 runs at work, of which 0 had died"
    with Services(settings) as services, services.catalog._engine.connect() as connection:
        left = connection.execute(tables.leases.select().where(tables.leases.c.connection != "acme")).all()
    assert left == []


@pytest.mark.slow
def test_a_run_on_another_machine_is_dead_without_a_sign_of_life(settings: Settings) -> None:
    with stuck_sync(settings) as process:
        process.kill()
        process.wait()
        for age, dead in ((60, 0), (-1, 1)):
            with Services(settings) as services, services.catalog._engine.begin() as connection:
                elsewhere = {"machine": "another", "expires_at": datetime.now(UTC) + timedelta(0, age)}
                connection.execute(update(tables.leases).values(elsewhere))
            assert look(settings) == f"1 runs at work, of which {dead} had died"


def run(location: str | None, run_id: str = "r") -> dg.DagsterRun:
    if location is None:
        return dg.DagsterRun("job", run_id)
    origin = ManagedGrpcPythonEnvCodeLocationOrigin(LoadableTargetOrigin(module_name="m"), location)
    return dg.DagsterRun("job", run_id, remote_job_origin=RemoteJobOrigin(RemoteRepositoryOrigin(origin, "r"), "job"))


@pytest.mark.parametrize(
    ("location", "alive", "before", "dead", "unheld"),
    [
        ("ours", True, ["r"], False, False),
        ("ours", False, [], True, False),
        ("ours", None, [], False, True),
        ("ours", None, ["r"], True, False),
        ("theirs", None, ["r"], False, False),
        (None, None, ["r"], False, False),
        (None, False, [], True, False),
    ],
)
def test_which_runs_are_dead(
    location: str | None, alive: bool | None, before: Sequence[str], dead: bool, unheld: bool
) -> None:
    one = run(location)
    found = find_dead_runs([one], lambda _: alive, location="ours", unheld_before=before)
    assert found == DeadRuns((one,) if dead else (), frozenset({"r"} if unheld else ()))


def add_waiting_event(settings: Settings) -> None:
    with Services(settings) as services:
        services.catalog.events.store("acme", Event("delivery", "push", (Invalidation("units"),)), b"{}")
        with services.catalog._engine.begin() as connection:
            long_ago = datetime.now(UTC) - timedelta(minutes=5)
            connection.execute(update(tables.events).values(received_at=long_ago))


def test_events_that_wait_make_one_run_until_it_has_ended(settings: Settings) -> None:
    sensor = build_definitions(settings).resolve_sensor_def("waiting_events")
    add_waiting_event(settings)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance, resources={"runtime": Runtime(settings)})
        assert len(sensor.evaluate_tick(context).run_requests or ()) == 1
        waiting = instance.create_run_for_job(events, status=dg.DagsterRunStatus.STARTED)
        assert sensor.evaluate_tick(context).run_requests == []
        instance.report_run_failed(waiting)
        assert len(sensor.evaluate_tick(context).run_requests or ()) == 1


def test_a_sync_waits_for_the_one_before(settings: Settings) -> None:
    definitions = build_definitions(settings)
    schedule, job = definitions.resolve_schedule_def("sync_acme"), definitions.resolve_job_def("sync_acme")
    with (
        dagster_instance(settings) as instance,
        dg.build_schedule_context(
            instance, resources=definitions.resources, repository_def=definitions.get_repository_def()
        ) as context,
    ):
        by_hand = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        assert len(schedule.evaluate_tick(context).run_requests or ()) == 1
        instance.add_run_tags(by_hand.run_id, {"dagster/schedule_name": "sync_acme"})
        assert "still under way" in (schedule.evaluate_tick(context).skip_message or "")
