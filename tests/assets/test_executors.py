"""Where steps are executed, into how many batches a sync is cut, and what steps hand on."""

from __future__ import annotations

import dagster as dg
import pytest

import assets.executors
from assets.batches import UnitBatch, plan_batches
from assets.executors import build_executor, most_batches
from assets.step_outputs import StepOutputs, remove_outputs
from pipelines.errors import SettingsError
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import DueUnits
from pipelines.landing import Landing
from pipelines.run_settings import RunSettings
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
    assert list(landing.files.list("steps"))
    remove_outputs(landing, "r")
    assert list(landing.files.list("steps")) == []
