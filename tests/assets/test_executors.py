"""Where steps are executed, into how many batches a sync is cut, and what steps hand on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster._core.storage.tags import PARENT_RUN_ID_TAG, ROOT_RUN_ID_TAG

import assets.executors
from assets.batches import UnitBatch, plan_batches
from assets.executors import _held, build_executor, most_batches
from assets.step_outputs import StepOutputs, remove_old_outputs, remove_outputs
from pipelines.errors import HeadraceError, SettingsError
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import DueUnits
from pipelines.landing import Landing
from pipelines.run_settings import RunSettings
from pipelines.services import Services
from pipelines.settings import Settings


@pytest.mark.parametrize("executor", ["celery", "k8s"])
def test_an_executor_that_is_not_installed_is_an_error_of_its_setting(
    monkeypatch: pytest.MonkeyPatch, executor: str
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(assets.executors, "import_module", missing)
    runs = RunSettings.model_validate({"executor": executor, "broker": "redis://a", "backend": "redis://b"})
    settings = Settings(runs=runs)
    with pytest.raises(SettingsError, match=rf"runs.executor.*headrace\[{executor}\]"):
        build_executor(settings)


def test_batches_follow_the_slots() -> None:
    assert most_batches(RunSettings(executor="multiprocess", slots=2)) == 6


@pytest.mark.parametrize(
    ("units", "most", "sizes"),
    [(0, 6, []), (1, 6, [1]), (100, 6, [100]), (101, 6, [51, 50]), (601, 6, [101] * 5 + [96])],
)
def test_units_are_spread_evenly(units: int, most: int, sizes: list[int]) -> None:
    due = DueUnits(SyncOptions(), SyncReport(), tuple(map(str, range(units))))
    batches = list(plan_batches(due, ["0"], most))
    assert [len(one.units) for one in batches] == sizes
    assert [unit for one in batches for unit in one.units] == list(due.units)
    assert [one.untold for one in batches if "0" in one.units] == ([frozenset({"0"})] if units else [])


def test_what_steps_hand_on_comes_back_from_the_landing(settings: Settings) -> None:
    report = SyncReport(errors={"acme/1": "HTTP 502"}, causes={"acme/1": "source_unavailable"})
    batch = UnitBatch(("1", "2"), frozenset({"2"}), SyncOptions(mode="full"))
    landing = Landing(settings)
    outputs = StepOutputs(landing)
    for value in (report, batch, DueUnits(SyncOptions(), report, ("1",), quiet=3)):
        made = dg.PythonObjectDagsterType(type(value))
        context = dg.build_output_context(step_key="step", name="made", run_id="r", dagster_type=made)
        outputs.handle_output(context, value)
        assert outputs.load_input(dg.build_input_context(upstream_output=context)) == value


@dg.job
def _sync() -> None:
    """Stands for a connection's job."""


@dg.job
def _another_sync() -> None:
    """Stands for another connection's."""


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    with Services(settings) as opened:
        yield opened


def test_what_runs_have_handed_on_goes_with_the_next_one_that_ends_well(services: Services) -> None:
    landing = services.landing

    def hand_on(run: str) -> None:
        with landing.files.atomic(f"steps/{run}/step/result.json") as file:
            file.write(b"{}")

    def left() -> set[str]:
        return {path.split("/")[1] for path in landing.files.list("steps")}

    with dg.DagsterInstance.ephemeral() as instance:
        failed, other = (
            instance.create_run_for_job(job, status=dg.DagsterRunStatus.FAILURE) for job in (_sync, _another_sync)
        )
        working, ending = (instance.create_run_for_job(_sync, status=dg.DagsterRunStatus.STARTED) for _ in range(2))
        for run in (failed.run_id, other.run_id, working.run_id, ending.run_id, "elsewhere"):
            hand_on(run)
        going_on = instance.create_run_for_job(
            _sync,
            status=dg.DagsterRunStatus.STARTED,
            root_run_id=failed.run_id,
            parent_run_id=failed.run_id,
            tags={ROOT_RUN_ID_TAG: failed.run_id, PARENT_RUN_ID_TAG: failed.run_id},
        )
        with services.catalog.leases.hold_run("elsewhere"):
            remove_outputs(services, instance, ending)
        assert left() == {failed.run_id, other.run_id, working.run_id, "elsewhere"}
        remove_outputs(services, instance, going_on)
        assert left() == {other.run_id, working.run_id}
        remove_old_outputs(services, instance, datetime.now(UTC) - timedelta(days=1))
        assert left() == {other.run_id, working.run_id}
        remove_old_outputs(services, instance, datetime.now(UTC) + timedelta(days=1))
        assert left() == {working.run_id}


def test_who_goes_on_with_a_run_whose_work_is_done_is_told_to_begin_anew(settings: Settings) -> None:
    context = dg.build_output_context(step_key="batch", name="result", run_id="r")
    with pytest.raises(HeadraceError, match="launch a new run"):
        StepOutputs(Landing(settings)).load_input(dg.build_input_context(upstream_output=context))


def test_a_run_is_held_as_long_as_its_executor_works(services: Services) -> None:
    runs: list[str] = []
    seen: list[bool | None] = []

    @dg.op
    def look() -> None:
        seen.append(services.catalog.leases.is_run_alive(runs[-1]))
        raise dg.Failure("it ends all the same", allow_retries=False)

    @dg.job(executor_def=_held(dg.in_process_executor, services.settings))
    def looking() -> None:
        look()

    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(looking)
        runs.append(run.run_id)
        assert not execute_run(InMemoryJob(looking), run, instance).success
        assert seen == [True]
        assert services.catalog.leases.is_run_alive(run.run_id) is None
