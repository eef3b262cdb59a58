"""Events that no worker takes become runs."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from assets.reporting import DagsterReporter
from assets.runtime import Runtime

WAITED = timedelta(seconds=60)
"""A worker takes events within seconds; what has waited longer has none."""


@dg.op(description="Take the events of the inbox to the index, as the worker does.")
def take_events(context: dg.OpExecutionContext, runtime: dg.ResourceParam[Runtime]) -> None:
    from pipelines.events.connectors import open_connectors
    from pipelines.events.worker import Worker

    with runtime.workspace() as workspace, open_connectors() as connectors:
        worker = Worker(workspace, connectors, DagsterReporter(context.instance))
        places = 0
        while looked_at := worker.work():
            places += looked_at
    context.log.info(f"{places} places looked at")


@dg.job(description="Take the events of the inbox to the index.")
def events() -> None:
    take_events()


@dg.sensor(
    job_name=events.name,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs `events` where no worker takes them.",
)
def waiting_events(runtime: dg.ResourceParam[Runtime]) -> dg.RunRequest | dg.SkipReason:
    with runtime.workspace() as workspace:
        paused = {one.id for one in runtime.settings.connections if workspace.catalog.connections.get(one.id).paused}
        backlog = workspace.catalog.events.backlog()
    waiting = {name: since for name, (_, since) in backlog.items() if name not in paused}
    oldest = min(waiting.values(), default=None)
    if oldest is None or datetime.now(UTC) - oldest < WAITED:
        return dg.SkipReason("no event has waited long")
    # One run per moment since which events wait: a run under way for it is not started twice.
    return dg.RunRequest(run_key=f"waiting since {oldest:%Y-%m-%dT%H:%M}, at {datetime.now(UTC):%Y-%m-%dT%H:%M}")
