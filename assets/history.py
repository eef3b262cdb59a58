"""History: runs that have ended leave after the days of the settings, with all that they have left.

Dagster keeps all of them for ever. What a run has materialised goes with it, and a partition of which nothing else is
known would be missing from then on: so a run stays as long as it holds the newest materialisation of anything.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.storage.dagster_run import FINISHED_STATUSES, RunRecord

from assets.resources import Runtime
from assets.step_outputs import remove_old_outputs

SECONDS_PER_LOOK = 20.0
"""A sensor that takes longer than a minute counts as failed."""
_RUNS_PER_QUERY = 50
_MADE = dg.DagsterEventType.ASSET_MATERIALIZATION


@dataclass(frozen=True, slots=True)
class PrunedRuns:
    """`reached` is when the last run that was looked at was made; None once all were that are old enough."""

    removed: int
    reached: datetime | None


@dg.sensor(
    name="history",
    minimum_interval_seconds=3_600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Removes runs that ended longer ago than `retention.runs_days`, unless a partition is known by them.",
)
def history_sensor(context: dg.SensorEvaluationContext, runtime: dg.ResourceParam[Runtime]) -> dg.SkipReason:
    before = datetime.now(UTC) - timedelta(days=runtime.settings.retention.runs_days)
    after = datetime.fromisoformat(context.cursor) if context.cursor else None
    pruned = prune_history(context.instance, before, after)
    with runtime.services() as services:
        remove_old_outputs(services, context.instance, before)
    context.update_cursor(pruned.reached.isoformat() if pruned.reached else "")
    return dg.SkipReason(f"{pruned.removed} runs removed")


def prune_history(
    instance: dg.DagsterInstance,
    before: datetime,
    after: datetime | None = None,
    seconds: float = SECONDS_PER_LOOK,
) -> PrunedRuns:
    """Remove what ended `before`, of the runs that were made `after`, the oldest first. No run is begun after so many
    seconds."""
    removed, started = 0, time.monotonic()
    for record in _ended(instance, before, after):
        if time.monotonic() - started >= seconds:
            return PrunedRuns(removed, after)
        after = record.create_timestamp
        if not _holds_newest(instance, record.dagster_run.run_id):
            _remove(instance, record.dagster_run.run_id)
            removed += 1
    return PrunedRuns(removed, None)


def _ended(instance: dg.DagsterInstance, before: datetime, after: datetime | None) -> Iterator[RunRecord]:
    while True:
        ended = dg.RunsFilter(statuses=FINISHED_STATUSES, updated_before=before, created_after=after)
        records = instance.get_run_records(ended, limit=_RUNS_PER_QUERY, ascending=True)
        yield from records
        if len(records) < _RUNS_PER_QUERY:
            return
        after = records[-1].create_timestamp


def _holds_newest(instance: dg.DagsterInstance, run: str) -> bool:
    """Whether a run has made something that nothing has made since."""
    made: dict[dg.AssetKey, set[str | None]] = defaultdict(set)
    for entry in instance.all_logs(run, of_type=_MADE):
        if entry.asset_materialization:
            made[entry.asset_materialization.asset_key].add(entry.asset_materialization.partition)
    return any(run in _newest_runs(instance, asset, partitions) for asset, partitions in made.items())


def _newest_runs(instance: dg.DagsterInstance, asset: dg.AssetKey, partitions: set[str | None]) -> Iterator[str]:
    """The runs that have made these partitions of an asset last."""
    if None in partitions and (last := instance.get_latest_materialization_event(asset)):
        yield last.run_id
    named = {partition for partition in partitions if partition is not None}
    if named:
        ids = instance.event_log_storage.get_latest_storage_id_by_partition(asset, _MADE, named)
        chosen = dg.EventRecordsFilter(_MADE, asset_key=asset, storage_ids=list(ids.values()))
        yield from (record.run_id for record in instance.event_log_storage.get_event_records(chosen))


def _remove(instance: dg.DagsterInstance, run: str) -> None:
    instance.compute_log_manager.delete_logs(prefix=[run])
    instance.delete_run(run)
