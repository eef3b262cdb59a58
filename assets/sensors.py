"""Sensors: events that no worker takes become runs, and changed vectors a publication; runs that have died are ended.

Each tick is a row: none looks oftener than what it looks for can wait."""

import json
from datetime import UTC, datetime, timedelta

import dagster as dg

from assets.jobs import events
from assets.keys import RETRIEVAL
from assets.resources import Runtime
from assets.unfinished_runs import WORKING, end_dead_run, find_dead_runs, is_under_way

WAITED = timedelta(seconds=60)
"""A worker takes events within seconds; what has waited longer has none."""


@dg.sensor(
    job_name=events.name,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs `events` where no worker takes them.",
)
def waiting_events(
    context: dg.SensorEvaluationContext, runtime: dg.ResourceParam[Runtime]
) -> dg.RunRequest | dg.SkipReason:
    if is_under_way(context.instance, events.name):
        return dg.SkipReason("a run for them is under way")
    with runtime.services() as services:
        paused = services.catalog.connections.paused()
        backlog = services.catalog.events.backlog()
    waiting = {name: since for name, (_, since) in backlog.items() if name not in paused}
    oldest = min(waiting.values(), default=None)
    if oldest is None or datetime.now(UTC) - oldest < WAITED:
        return dg.SkipReason("no event has waited long")
    return dg.RunRequest()


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ends runs whose process has died: they would keep their place in the queue for ever.",
)
def dead_runs(context: dg.SensorEvaluationContext, runtime: dg.ResourceParam[Runtime]) -> dg.SkipReason:
    runs = context.instance.get_runs(dg.RunsFilter(statuses=WORKING))
    origin = context.code_location_origin
    with runtime.services() as services:
        leases = services.catalog.leases
        found = find_dead_runs(
            runs,
            leases.is_run_alive,
            location=origin.location_name if origin else None,
            unheld_before=json.loads(context.cursor or "[]"),
        )
        for run in found.dead:
            end_dead_run(context.instance, run)
            leases.forget_run(run.run_id)
    context.update_cursor(json.dumps(sorted(found.unheld)))
    return dg.SkipReason(f"{len(runs)} runs at work, of which {len(found.dead)} had died")


publish_sensor = dg.AutomationConditionSensorDefinition(
    "publish",
    target=dg.AssetSelection.assets(RETRIEVAL),
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Materialises `retrieval` when vectors have changed.",
)
