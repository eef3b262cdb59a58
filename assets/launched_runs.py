"""Runs that a command launches and follows, where Dagster's run launcher starts them in places of their own.

Dagster's run monitoring asks such a launcher for the worker of each run, and takes one for dead that has none: a run in
the command's own process would be ended while it works.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import dagster as dg
from dagster._core.launcher import DefaultRunLauncher
from dagster._core.launcher.sync_in_memory_run_launcher import SyncInMemoryRunLauncher
from dagster._core.storage.dagster_run import FINISHED_STATUSES

from assets.code_location import LocatedJob, locate_job
from assets.keys import job_name
from assets.run_reports import REPORT_TAG, TOLD_BY, RunHistory
from connectors.settings import Connection
from pipelines.errors import HeadraceError
from pipelines.ingestion.observer import Observer
from pipelines.ingestion.report import SyncReport
from pipelines.settings import Settings

SECONDS_BETWEEN_LOOKS = 1.0
_EVENTS_PER_LOOK = 1_000


def launches_elsewhere(instance: dg.DagsterInstance) -> bool:
    """Whether runs are started by another launcher than Dagster's own on this machine.

    Raises HeadraceError if it is not installed. It is not made: that may need a cluster which only the daemon sees.
    """
    named = instance.get_ref().run_launcher_data
    if named is None:
        return False
    try:
        launcher = getattr(import_module(named.module_name), named.class_name)
    except ImportError as error:
        raise HeadraceError(f"dagster.yaml: run_launcher: {named.class_name} cannot be imported ({error})") from None
    return not issubclass(launcher, DefaultRunLauncher | SyncInMemoryRunLauncher)


def run_launched(
    settings: Settings,
    instance: dg.DagsterInstance,
    connection: Connection,
    run_config: Mapping[str, Any],
    observer: Observer,
) -> SyncReport:
    """Launch a run of the connection's job, and follow it until it ends. Raises UsageError and HeadraceError."""
    with locate_job(settings, instance, job_name(connection.id)) as job:
        run = _submit(instance, job, run_config)
    with _say_how_to_stop(run):
        return _follow(instance, run, RunHistory(connection, observer))


def _submit(instance: dg.DagsterInstance, job: LocatedJob, run_config: Mapping[str, Any]) -> str:
    try:
        run = _create_run(instance, job, run_config)
        instance.submit_run(run.run_id, job.workspace)
    except Exception as error:  # of whichever launcher
        raise HeadraceError(f"{job.name} could not be launched: {error}") from error
    return run.run_id


def _create_run(instance: dg.DagsterInstance, job: LocatedJob, run_config: Mapping[str, Any]) -> dg.DagsterRun:
    """As `dagster job launch` does."""
    remote = job.repository.get_full_job(job.name)
    planned = job.location.get_execution_plan(
        remote, run_config, step_keys_to_execute=None, known_state=None, instance=instance
    )
    plan = planned.execution_plan_snapshot
    return instance.create_run(
        job_name=job.name,
        run_id=None,
        run_config=run_config,
        resolved_op_selection=remote.resolved_op_selection,
        step_keys_to_execute=plan.step_keys_to_execute,
        op_selection=None,
        status=None,
        root_run_id=None,
        parent_run_id=None,
        tags={**remote.tags, REPORT_TAG: "yes"},
        job_snapshot=remote.job_snapshot,
        execution_plan_snapshot=plan,
        parent_job_snapshot=remote.parent_job_snapshot,
        remote_job_origin=remote.get_remote_origin(),
        job_code_origin=remote.get_python_origin(),
        asset_selection=None,
        asset_check_selection=None,
        asset_graph=job.repository.asset_graph,
    )


def _follow(instance: dg.DagsterInstance, run: str, history: RunHistory) -> SyncReport:
    cursor, ended = None, False
    while not ended:
        # The status first: what the run has told before it ended is all there by then.
        status = _read_status(instance, run)
        history.show_status(run, status)
        cursor = _take_events(instance, run, cursor, history)
        ended = status in FINISHED_STATUSES
        time.sleep(0 if ended else SECONDS_BETWEEN_LOOKS)
    return history.end(run, status)


def _take_events(instance: dg.DagsterInstance, run: str, cursor: str | None, history: RunHistory) -> str | None:
    has_more = True
    while has_more:
        found = instance.get_records_for_run(run, cursor, TOLD_BY, _EVENTS_PER_LOOK)
        for record in found.records:
            history.take(record.event_log_entry)
        cursor, has_more = found.cursor, found.has_more
    return cursor


def _read_status(instance: dg.DagsterInstance, run: str) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run)
    if found is None:
        raise HeadraceError(f"the run {run} was removed from Dagster's history: nothing more is known of it")
    return found.status


@contextmanager
def _say_how_to_stop(run: str) -> Iterator[None]:
    """A command that is interrupted, or loses sight of it, leaves its run alone."""
    try:
        yield
    except HeadraceError:
        raise
    except BaseException:
        # Not logged: whoever ends the process has ended logging before.
        print(f"the run {run} goes on; to stop it, terminate it on Dagster's page, under Runs", file=sys.stderr)
        raise
