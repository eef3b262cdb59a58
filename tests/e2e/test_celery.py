"""A sync whose steps are executed by Celery's workers, of which one is killed."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest

from assets.celery_executor import SECONDS_UNTIL_REDELIVERED
from assets.instance import dagster_instance
from pipelines.services import Services
from tests.emulators.celery_workers import REDIS, Workplace, wait_for, workplace
from tests.emulators.slow_source import WITH_TEXT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(REDIS is None, reason="redis-server is not installed"),
    pytest.mark.filterwarnings("ignore::dagster.SupersessionWarning"),
]

UNITS, FEW = 400, 20


@pytest.mark.parametrize("killed", ["the worker", "the process of its step"])
def test_the_step_of_a_worker_that_is_killed_is_done_by_another(tmp_path: Path, killed: str) -> None:
    with workplace(tmp_path, UNITS) as place, place.worker("one"), place.worker("two"):
        sync = place.sync()
        wait_for(lambda: len(busy(place)) == 2 and min(busy(place).values()) >= 10)
        victim = min(busy(place))
        if killed == "the worker":
            os.killpg(os.getpgid(victim), signal.SIGKILL)
        else:
            os.kill(victim, signal.SIGKILL)
        output, _ = sync.communicate(timeout=120)
        assert sync.returncode == 0, output[-3000:]
        assert {unit for _, unit in place.units_read()} == {f"{number:05}" for number in range(UNITS)}
        assert_nothing_is_lost_or_doubled(place, UNITS)


def test_the_step_of_a_worker_that_is_killed_before_it_shows_that_it_works_on_it_is_delivered_once_more(
    tmp_path: Path,
) -> None:
    taken = tmp_path / "taken"
    with workplace(tmp_path, FEW) as place, place.worker("one", STUCK=str(taken)) as first:
        sync = place.sync()
        wait_for(taken.exists)
        os.killpg(first.pid, signal.SIGKILL)
        with place.worker("two"):
            output, _ = sync.communicate(timeout=60 + 2 * SECONDS_UNTIL_REDELIVERED)
        assert sync.returncode == 0, output[-3000:]
        assert_nothing_is_lost_or_doubled(place, FEW)


def busy(place: Workplace) -> Counter[int]:
    """How many units each process has read."""
    return Counter(process for process, _ in place.units_read())


def assert_nothing_is_lost_or_doubled(place: Workplace, units: int) -> None:
    with dagster_instance(place.settings) as instance:
        assert len(instance.get_materialized_partitions(dg.AssetKey(["acme", "vectors"]))) == units
        made = instance.get_latest_materialization_event(dg.AssetKey("retrieval"))
        assert made
        assert made.asset_materialization
        assert made.asset_materialization.metadata["documents"].value == units // WITH_TEXT
    with Services(place.settings) as services:
        totals = services.catalog.documents.totals()
        assert sum(sum(counts.values()) for counts in totals.values()) == units // WITH_TEXT
        (run,) = runs(place)
        assert services.catalog.leases.is_run_alive(run) is None


def runs(place: Workplace) -> list[str]:
    with dagster_instance(place.settings) as instance:
        return list(instance.get_run_ids())
