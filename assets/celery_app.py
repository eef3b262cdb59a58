"""The app of Celery's workers: `celery -A assets.celery_app worker`, where `headrace.yaml` is found."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from celery import Celery, Task
from celery.exceptions import Ignore
from dagster import DagsterEventType, DagsterInstance
from dagster._core.events import DagsterEvent
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._grpc.types import ExecuteStepArgs
from dagster._serdes import serialize_value, unpack_value
from dagster_celery.executor import CeleryExecutor
from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_task

from assets.celery_executor import celery_arguments
from pipelines.catalog import open_catalog
from pipelines.errors import UnitBusy
from pipelines.settings import Settings, load_settings

_STARTS = {DagsterEventType.STEP_START, DagsterEventType.STEP_RESTARTED}
_ENDS = {DagsterEventType.STEP_SUCCESS, DagsterEventType.STEP_FAILURE}


def __getattr__(name: str) -> Celery:
    """Celery asks for `app`; whoever else imports the module needs no settings for it."""
    if name == "app":
        return _app()
    raise AttributeError(name)


@cache
def _app() -> Celery:
    return build_app(load_settings())


def build_app(settings: Settings) -> Celery:
    """The settings' queue, and the task that executes a step."""
    app: Celery = make_app(CeleryExecutor.for_cli(**celery_arguments(settings)).app_args())

    class HeldStep(Task):
        """Executes a step, and shows meanwhile that its process is alive. A broker delivers a task once more if it is
        not done soon: what another process works on, or whose run is over, is left alone, and of what is done it is
        told what was done."""

        def __call__(self, execute_step_args_packed: dict[str, Any], executable_dict: dict[str, Any]) -> Any:
            step = unpack_value(execute_step_args_packed, as_type=ExecuteStepArgs)
            (key,) = step.step_keys_to_execute or ()
            try:
                with open_catalog(settings) as catalog, catalog.leases.hold_step(step.run_id, key):
                    done = _read_done(step, key)
                    return done or self.run(execute_step_args_packed, executable_dict)
            except UnitBusy:
                raise Ignore from None

    create_task(app, base=HeldStep)
    return app


def _read_done(step: ExecuteStepArgs, key: str) -> list[str]:
    """See `find_done`. Raises Ignore where the run is over."""
    if step.instance_ref is None:
        raise RuntimeError("the task names no Dagster instance")
    with DagsterInstance.from_ref(step.instance_ref) as instance:
        run = instance.get_run_by_id(step.run_id)
        if run is None or run.status in FINISHED_STATUSES:
            raise Ignore
        return find_done(instance, step.run_id, key)


def find_done(instance: DagsterInstance, run: str, key: str) -> list[str]:
    """What a step that has ended has told of itself, as its task returns it; nothing of one that has not."""
    if not any(entry.step_key == key for entry in instance.all_logs(run, of_type=_ENDS)):
        return []
    return [serialize_value(event) for event in _last_attempt(instance.all_logs(run), key)]


def _last_attempt(entries: Iterable[EventLogEntry], key: str) -> list[DagsterEvent]:
    events: list[DagsterEvent] = []
    for entry in entries:
        event = entry.dagster_event
        if event and event.is_step_event and event.step_key == key:
            events = [event] if event.event_type in _STARTS else [*events, event]
    return events
