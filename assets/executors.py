"""Where the steps of a run are executed, by the settings, and how they hand on to each other what they know."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import dagster as dg
from pydantic import TypeAdapter

from pipelines.errors import SettingsError
from pipelines.landing import Landing
from pipelines.run_settings import RunSettings
from pipelines.settings import Settings

BATCHES_PER_SLOT = 3
"""More would cost history, fewer leave slots idle at the end."""


def most_batches(settings: RunSettings) -> int:
    """Into how many batches a sync is cut at most."""
    return 1 if settings.executor == "in_process" else BATCHES_PER_SLOT * settings.slots


def build_executor(settings: RunSettings) -> dg.ExecutorDefinition:
    """Raises SettingsError if the package that it needs is not installed."""
    match settings.executor:
        case "in_process":
            return dg.in_process_executor
        case "multiprocess":
            # A process that is forked from one that has imported everything starts in a fraction of the time.
            start = {"forkserver": {"preload_modules": ["assets.definitions"]}}
            return dg.multiprocess_executor.configured({"max_concurrent": settings.slots, "start_method": start})
        case "celery":
            return _load("dagster_celery", "celery_executor", "celery").configured(_celery_config(settings))
        case "k8s":
            config = {"max_concurrent": settings.slots}  # the rest is that of the instance's run launcher
            return _load("dagster_k8s", "k8s_job_executor", "k8s").configured(config)


def _celery_config(settings: RunSettings) -> dict[str, Any]:
    if settings.broker is None or settings.backend is None:
        raise SettingsError("runs.broker", "with the executor `celery`, `broker` and `backend` name its queue")
    return {
        "broker": settings.broker.get_secret_value(),
        "backend": settings.backend.get_secret_value(),
        "include": ["assets.definitions"],
        # The step of a worker that was killed is executed once more: its units are free by then, and it does no harm.
        "config_source": {"task_acks_late": True, "task_reject_on_worker_lost": True},
    }


def _load(module: str, name: str, extra: str) -> dg.ExecutorDefinition:
    try:
        found: dg.ExecutorDefinition = getattr(import_module(module), name)
    except ModuleNotFoundError:
        needed = f"{extra!r} needs the extra `{extra}`: pip install 'headrace[{extra}]'"
        raise SettingsError("runs.executor", needed) from None
    return found


def build_io_manager(settings: Settings) -> dg.ResourceDefinition | dg.IOManager:
    """Steps of one process hand on what is in memory; others find it in the landing, which all machines share."""
    if settings.runs.executor == "in_process":
        return dg.mem_io_manager
    return StepOutputs(Landing(settings))


class StepOutputs(dg.IOManager):
    """What steps hand on, as JSON, in the landing's folder `steps` until the run has ended."""

    def __init__(self, landing: Landing) -> None:
        self._files = landing.files

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        with self._files.atomic(_path(context)) as file:
            file.write(_adapter(context).dump_json(obj))

    def load_input(self, context: dg.InputContext) -> Any:
        output = context.upstream_output
        if output is None:
            raise RuntimeError("no step has made this")
        return _adapter(output).validate_json(self._files.read(_path(output)))


def remove_outputs(landing: Landing, run: str) -> None:
    """Remove what the steps of a run have handed on."""
    for path in list(landing.files.list(f"steps/{run}")):
        landing.files.remove(path)


def _path(context: dg.OutputContext) -> str:
    return "/".join(("steps", *context.get_identifier())) + ".json"


def _adapter(context: dg.OutputContext) -> TypeAdapter[Any]:
    # The reports name it, and import it for type checkers alone.
    from pipelines.catalog.failures import Cause  # noqa: F401

    return TypeAdapter(context.dagster_type.typing_type)
