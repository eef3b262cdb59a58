"""Runs that have not ended: whether one for the same purpose waits or works already, and which have died."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import dagster as dg

WAITING_OR_WORKING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
WORKING = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def is_under_way(instance: dg.DagsterInstance, job: str, tags: Mapping[str, str] | None = None) -> bool:
    """Whether a run of a job, with these tags, waits for its turn or works."""
    purpose = dg.RunsFilter(job_name=job, tags=tags, statuses=WAITING_OR_WORKING)
    return bool(instance.get_run_ids(purpose, limit=1))


@dataclass(frozen=True, slots=True)
class DeadRuns:
    """`unheld` are of this code location and held by no process; one that is so a second time has died."""

    dead: tuple[dg.DagsterRun, ...] = ()
    unheld: frozenset[str] = frozenset()


def find_dead_runs(
    runs: Iterable[dg.DagsterRun],
    is_alive: Callable[[str], bool | None],
    *,
    location: str | None,
    unheld_before: Collection[str],
) -> DeadRuns:
    """The runs whose process has died, by what `Leases.is_run_alive` says of them.

    A run is held by no process for a moment as it starts and as it ends: of such one, a second look decides. Runs of
    other code locations have nothing to do with the catalog's leases, and stay out of this.
    """
    dead: list[dg.DagsterRun] = []
    unheld: set[str] = set()
    for run in runs:
        alive = is_alive(run.run_id)
        if alive is False:
            dead.append(run)
        elif alive is None and run.remote_job_origin and run.remote_job_origin.location_name == location:
            if run.run_id in unheld_before:
                dead.append(run)
            else:
                unheld.add(run.run_id)
    return DeadRuns(tuple(dead), frozenset(unheld))


def end_dead_run(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Record that a run has ended, so that others have its place, and what it held of pools."""
    message = "The process of this run has died. What it did until then is kept; the next sync goes on from there."
    if run.status == dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, message)
    else:
        instance.report_run_failed(run, message)
    if instance.event_log_storage.supports_global_concurrency_limits:
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
