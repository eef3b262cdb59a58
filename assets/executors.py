"""Where the steps of a run are executed, by the settings."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import dagster as dg

from pipelines.catalog import open_catalog
from pipelines.errors import SettingsError
from pipelines.run_settings import RunSettings
from pipelines.settings import Settings

if TYPE_CHECKING:
    from dagster._core.execution.context.system import PlanOrchestrationContext
    from dagster._core.execution.plan.plan import ExecutionPlan
    from dagster._core.execution.retries import RetryMode
    from dagster._core.execution.step_dependency_config import StepDependencyConfig

BATCHES_PER_SLOT = 3
"""More would cost history, fewer leave slots idle at the end."""


def most_batches(settings: RunSettings) -> int:
    """Into how many batches a sync is cut at most, where it is spread."""
    return BATCHES_PER_SLOT * settings.slots


def build_executor(settings: Settings) -> dg.ExecutorDefinition:
    """Raises SettingsError if the package that it needs is not installed."""
    match settings.runs.executor:
        case "in_process":
            return dg.in_process_executor
        case "multiprocess":
            # A process that is forked from one that has imported everything starts in a fraction of the time.
            start = {"forkserver": {"preload_modules": ["assets.definitions"]}}
            config = {"max_concurrent": settings.runs.slots, "start_method": start}
            return _held(dg.multiprocess_executor, settings).configured(config)
        case "celery":
            executor: dg.ExecutorDefinition = _load("assets.celery_executor", "celery").build_celery_executor(settings)
            return executor
        case "k8s":
            # The rest is that of the instance's run launcher.
            config = {"max_concurrent": settings.runs.slots}
            return _held(_load("dagster_k8s", "k8s").k8s_job_executor, settings).configured(config)


class RunHolder(dg.Executor):
    """Executes as another does, and shows meanwhile that the process of the run is alive: of steps that have processes
    of their own, none shows it in between."""

    def __init__(self, executor: dg.Executor, settings: Settings) -> None:
        self._executor = executor
        self._settings = settings

    @property
    def retries(self) -> RetryMode:
        return self._executor.retries

    @property
    def step_dependency_config(self) -> StepDependencyConfig:
        return self._executor.step_dependency_config

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        with open_catalog(self._settings) as catalog, catalog.leases.hold_run(plan_context.run_id):
            yield from self._executor.execute(plan_context, execution_plan)


def _held(definition: dg.ExecutorDefinition, settings: Settings) -> dg.ExecutorDefinition:
    create = definition.executor_creation_fn
    if create is None:
        raise TypeError(f"{definition.name} makes no executor")
    return dg.ExecutorDefinition(
        definition.name,
        config_schema=cast(Any, definition.config_schema),  # which it takes, although its annotation does not say so
        requirements=definition.get_requirements,
        executor_creation_fn=lambda context: RunHolder(create(context), settings),
    )


def _load(module: str, extra: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError:
        needed = f"{extra!r} needs the extra `{extra}`: pip install 'headrace[{extra}]'"
        raise SettingsError("runs.executor", needed) from None
