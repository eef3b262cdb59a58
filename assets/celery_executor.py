"""Runs whose steps Celery's workers execute. A worker may die: its step is given to another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg
from celery import Celery
from celery.exceptions import WorkerLostError
from celery.result import AsyncResult
from dagster._core.definitions.executor_definition import multiple_process_executor_requirements
from dagster._core.execution.retries import RetryMode
from dagster_celery import defaults
from dagster_celery import executor as dagster_celery
from dagster_celery.core_execution_loop import core_celery_execution_loop

from pipelines.catalog import open_catalog
from pipelines.catalog.leases import Leases
from pipelines.errors import SettingsError
from pipelines.settings import Settings

if TYPE_CHECKING:
    from dagster._core.execution.context.system import PlanOrchestrationContext
    from dagster._core.execution.plan.plan import ExecutionPlan
    from dagster._core.execution.plan.step import ExecutionStep

MOST_WORKERS = 3
"""How many workers may die of one step: more of them than one may have fallen with their machine."""

SECONDS_UNTIL_REDELIVERED = 60
CONFIG = {
    # What a worker had taken is given to another one, even where the run cannot see that it died: before it showed that
    # it works on the step, or after it showed that it does no more.
    "task_acks_late": True,
    "worker_prefetch_multiplier": 1,
    "broker_transport_options": {
        **defaults.broker_transport_options,
        # Of brokers that do not see it themselves. It is so once for each step that takes longer, too.
        "visibility_timeout": SECONDS_UNTIL_REDELIVERED,
        "unacked_restore_throttle": 1,
    },
}


def build_celery_executor(settings: Settings) -> dg.ExecutorDefinition:
    """Raises SettingsError if the settings name no broker or backend."""
    arguments = celery_arguments(settings)

    @dg.executor(name="celery", requirements=multiple_process_executor_requirements())
    def celery_executor(context: dg.InitExecutorContext) -> dg.Executor:
        return CeleryExecutor(settings, retries=RetryMode.ENABLED, **arguments)

    return celery_executor


def celery_arguments(settings: Settings) -> dict[str, Any]:
    """What the run and the workers have in common. Raises SettingsError."""
    broker, backend = settings.runs.broker, settings.runs.backend
    if broker is None or backend is None:
        raise SettingsError("runs.broker", "with the executor `celery`, `broker` and `backend` name its queue")
    return {
        "broker": broker.get_secret_value(),
        "backend": backend.get_secret_value(),
        "include": ["assets.definitions"],
        "config_source": CONFIG,
    }


class CeleryExecutor(dagster_celery.CeleryExecutor):
    """Dagster's waits for ever for a step whose worker was killed."""

    def __init__(self, settings: Settings, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._settings = settings

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        run = plan_context.run_id
        with open_catalog(self._settings) as catalog, catalog.leases.hold_run(run):
            submit = partial(_submit, catalog.leases)
            yield from core_celery_execution_loop(plan_context, execution_plan, step_execution_fn=submit)
            catalog.leases.forget_run(run)


class SubmittedStep:
    """A step in Celery's queue, or with a worker: what Dagster's loop asks of Celery's result.

    Both Celery and this may give the step of a dead worker to another: one of them does it, and whichever has a result
    is believed.
    """

    def __init__(self, submit: Callable[[], AsyncResult], forget_dead: Callable[[], bool]) -> None:
        self._submit = submit
        self._forget_dead = forget_dead
        self._results = [submit()]

    def ready(self) -> bool:
        """Whether there is a result; a step whose worker has died is submitted once more."""
        if any(map(_has_ended, self._results)):
            return True
        has_died = self._forget_dead()
        if not has_died and not all(map(_is_lost, self._results)):
            return False
        if len(self._results) == MOST_WORKERS:
            return True
        self._results.append(self._submit())
        return False

    def get(self) -> Any:
        """The events of the step. Raises WorkerLostError if it has outlived no worker."""
        for result in filter(_has_ended, self._results):
            return result.get()
        raise WorkerLostError(f"{len(self._results)} workers have died of this step")

    def revoke(self) -> None:
        for result in self._results:
            result.revoke()


def _has_ended(result: AsyncResult) -> bool:
    return bool(result.ready()) and not _is_lost(result)


def _is_lost(result: AsyncResult) -> bool:
    return isinstance(result.result, WorkerLostError)


def _submit(
    leases: Leases,
    app: Celery,
    plan_context: PlanOrchestrationContext,
    step: ExecutionStep,
    queue: str,
    priority: int,
    known_state: object,
) -> SubmittedStep:
    submit = partial(dagster_celery._submit_task, app, plan_context, step, queue, priority, known_state)
    return SubmittedStep(submit, partial(leases.forget_dead_step, plan_context.run_id, step.key))
