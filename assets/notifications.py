"""A sensor that tells people what is in trouble: what health knows, and runs that fail otherwise."""

import json
from collections.abc import Iterable

import dagster as dg

from assets.resources import Runtime
from assets.sync_end import TOLD_TAG
from pipelines.operations.health import read_health
from pipelines.operations.notifications import compare_health, notify

_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Posts once what has come into trouble, and once that it is over, where `notifications` says.",
)
def health_notifications(context: dg.SensorEvaluationContext, runtime: dg.ResourceParam[Runtime]) -> dg.SkipReason:
    settings = runtime.settings.notifications
    if settings is None:
        return dg.SkipReason("the settings have no notifications")
    with runtime.services() as services:
        now = {one.key: one.line for one in read_health(services.catalog, runtime.settings).incidents}
    repository = context.repository_def
    now |= failed_jobs(context.instance, repository.job_names if repository else ())
    before = json.loads(context.cursor or "{}")
    if change := compare_health(before, now):
        notify(settings, change)
    # What was said when it began is kept: its counts change with every attempt, and are no news.
    context.update_cursor(json.dumps({key: before.get(key, line) for key, line in now.items()}))
    return dg.SkipReason(f"in trouble: {', '.join(now) or 'nothing'}")


def failed_jobs(instance: dg.DagsterInstance, names: Iterable[str]) -> dict[str, str]:
    """Jobs whose last run has failed by what health does not tell: its process has died, say."""
    found = {}
    for name in names:
        runs = instance.get_runs(dg.RunsFilter(job_name=name, statuses=_ENDED), limit=1)
        if runs and runs[0].status == dg.DagsterRunStatus.FAILURE and TOLD_TAG not in runs[0].tags:
            found[f"run/{name}"] = f"the last run of {name} has failed; Dagster shows why in the run {runs[0].run_id}"
    return found
