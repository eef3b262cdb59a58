"""The app of Celery's workers: `celery -A assets.celery_app worker`, where `headrace.yaml` is found."""

from __future__ import annotations

from functools import cache
from typing import Any

from celery import Celery, Task
from celery.exceptions import Ignore
from dagster import DagsterInstance
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._grpc.types import ExecuteStepArgs
from dagster._serdes import unpack_value
from dagster_celery.executor import CeleryExecutor
from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_task

from assets.celery_executor import celery_arguments
from pipelines.catalog import open_catalog
from pipelines.errors import UnitBusy
from pipelines.settings import Settings, load_settings


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
        """Executes a step, and shows meanwhile that its process is alive. A broker may deliver a task twice: what
        another process works on, or whose run is over, is left alone."""

        def __call__(self, execute_step_args_packed: dict[str, Any], executable_dict: dict[str, Any]) -> Any:
            step = unpack_value(execute_step_args_packed, as_type=ExecuteStepArgs)
            (key,) = step.step_keys_to_execute or ()
            if _is_over(step):
                raise Ignore
            try:
                with open_catalog(settings) as catalog, catalog.leases.hold_step(step.run_id, key):
                    return self.run(execute_step_args_packed, executable_dict)
            except UnitBusy:
                raise Ignore from None

    create_task(app, base=HeldStep)
    return app


def _is_over(step: ExecuteStepArgs) -> bool:
    """Whether the run of a step has ended."""
    if step.instance_ref is None:
        return False
    with DagsterInstance.from_ref(step.instance_ref) as instance:
        run = instance.get_run_by_id(step.run_id)
    return run is None or run.status in FINISHED_STATUSES
