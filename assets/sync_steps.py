"""The steps of a connection's sync: what is due, its batches, and the end; or one step for all, in one process.

A step hands on what the next ones need to know: with an executor of several processes they share nothing else.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, cast

import dagster as dg
from pydantic import Field

from assets.batches import UnitBatch, asked_units, only_asked, plan_batches, untold_units
from assets.keys import asset_key, dagster_name
from assets.metadata import connection_costs
from assets.partitions import register_all
from assets.reporting import materialization
from assets.resources import Runtime
from assets.sync_end import end
from connectors.contract import Window
from connectors.settings import Connection
from pipelines.errors import UsageError
from pipelines.ingestion.causes import record_errors
from pipelines.ingestion.observer import Observer, StageDone
from pipelines.ingestion.options import STAGES, Mode, SyncOptions
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import DueUnits, find_due, sync_units_of

REPORT, BATCHES = "due", "batches"
_STAGE_OUTPUTS = {str(stage): dg.Out(dg.Nothing, is_required=False) for stage in STAGES}


class SyncConfig(dg.Config):
    """Which units to read (none named: all, or those whose partitions a run is for), and how: `changes`, `full` or
    `reconcile`, or what was updated in a period. Where it is `scheduled`, what can wait for another run is left out."""

    units: list[str] = Field(default_factory=list)
    mode: str = "changes"
    since: str | None = None
    until: str | None = None
    allow_mass_delete: bool = False
    scheduled: bool = False

    def options(self) -> SyncOptions:
        if self.mode not in ("changes", "full", "reconcile"):
            raise UsageError(f"mode {self.mode!r}: must be changes, full or reconcile")
        return SyncOptions(
            mode=cast(Mode, self.mode),
            window=self._window(),
            allow_mass_delete=self.allow_mass_delete,
            scheduled=self.scheduled,
        )

    def _window(self) -> Window | None:
        if self.since is None and self.until is None:
            return None
        return Window(*(datetime.fromisoformat(day) if day else None for day in (self.since, self.until)))


def sync_run_config(connection: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a run of the connection's job, by that of its first step."""
    return {"ops": {dagster_name(connection): {"ops": {_units_step(connection): {"config": dict(config)}}}}}


def build_only_step(connection: Connection) -> dg.OpDefinition:
    """All of a sync: what a step more would tell of itself is kept for nothing, where one process executes all."""

    @dg.op(
        name=_units_step(connection.id),
        description="Ask the source what there is, let rights follow, bring what is due up to date, and publish.",
        ins={"units": dg.In(dg.Nothing)},
        out=_STAGE_OUTPUTS,
    )
    def units(
        context: dg.OpExecutionContext, config: SyncConfig, runtime: dg.ResourceParam[Runtime]
    ) -> Iterator[dg.AssetObservation]:
        due, untold = _find_due(context, connection, config, runtime)
        reports = [_sync_batch(context, connection, one, runtime) for one in plan_batches(due, untold, most=1)]
        # No output: each unit was told of by itself, and an output would tell of all of them.
        yield from end(context, connection, due, reports, runtime)

    return units


def build_units_step(connection: Connection, most_batches: int) -> dg.OpDefinition:
    """Ask the source once what there is, and hand on what is due."""

    @dg.op(
        name=_units_step(connection.id),
        description="Ask the source what there is, let rights follow, and say what is due.",
        ins={"units": dg.In(dg.Nothing)},
        out={REPORT: dg.Out(DueUnits), BATCHES: dg.DynamicOut(UnitBatch)},
    )
    def units(
        context: dg.OpExecutionContext, config: SyncConfig, runtime: dg.ResourceParam[Runtime]
    ) -> Iterator[dg.Output[DueUnits] | dg.DynamicOutput[UnitBatch]]:
        due, untold = _find_due(context, connection, config, runtime)
        for number, batch in enumerate(plan_batches(due, untold, most_batches)):
            yield dg.DynamicOutput(batch, mapping_key=str(number), output_name=BATCHES)
        yield dg.Output(due, REPORT)

    return units


def build_batch_step(connection: Connection) -> dg.OpDefinition:
    """Bring the units of a batch up to date."""

    @dg.op(name=f"{dagster_name(connection.id)}_batch", description="Read, chunk and index some of the units.")
    def batch(context: dg.OpExecutionContext, units: UnitBatch, runtime: dg.ResourceParam[Runtime]) -> SyncReport:
        return _sync_batch(context, connection, units, runtime)

    return batch


def build_end_step(connection: Connection) -> dg.OpDefinition:
    """Publish, and say what has failed."""

    @dg.op(
        name=f"{dagster_name(connection.id)}_end",
        description="Remove what is gone, publish, and say what has failed.",
        out=_STAGE_OUTPUTS,
    )
    def end_step(
        context: dg.OpExecutionContext,
        due: DueUnits,
        reports: list[SyncReport],
        runtime: dg.ResourceParam[Runtime],
    ) -> Iterator[dg.AssetObservation]:
        yield from end(context, connection, due, reports, runtime)

    return end_step


def _units_step(connection: str) -> str:
    return f"{dagster_name(connection)}_units"


def _find_due(
    context: dg.OpExecutionContext, connection: Connection, config: SyncConfig, runtime: Runtime
) -> tuple[DueUnits, frozenset[str]]:
    """What is due, and which units Dagster does not show as up to date."""
    report, options = SyncReport(), config.options()
    found = DueUnits(options, report)
    with runtime.services() as services:
        asked = asked_units(context, services.catalog, connection.id)
        with record_errors(report, connection.id):
            found = find_due(services, connection, runtime.connector(connection), config.units, options)
        found = only_asked(found, connection.id, asked)
        keys = register_all(context.instance, services.catalog, connection.id)
        told_anyway = asked is not None or config.units or options.window
        untold = set(found.units) if told_anyway else untold_units(context.instance, connection.id, keys)
        costs = connection_costs(services, connection)
    metadata = {"units": len(keys), "due": len(found.units), "quiet": found.quiet}
    requests = {"requests": found.report.requests.get(connection.id, 0)}
    told = {**metadata, **requests, **costs}
    context.log_event(dg.AssetMaterialization(asset_key(connection.id, "units"), metadata=told))
    return found, frozenset(untold)


def _sync_batch(
    context: dg.OpExecutionContext, connection: Connection, batch: UnitBatch, runtime: Runtime
) -> SyncReport:
    report = SyncReport()
    observer = Observer(_teller(context, batch, runtime), runtime.observer.progress)
    with runtime.services() as services, record_errors(report, connection.id):
        connector = runtime.connector(connection)
        report.add(sync_units_of(services, connection, connector, batch.units, batch.options, observer))
    return report


def _teller(context: dg.OpExecutionContext, batch: UnitBatch, runtime: Runtime) -> Callable[[StageDone], None]:
    """Materialises what has changed, and what is not shown as up to date although it is."""

    def stage_done(done: StageDone) -> None:
        if done.report.has_changed or done.unit.id in batch.untold:
            context.log_event(materialization(done))
        runtime.observer.stage_done(done)

    return stage_done
