"""How the steps of a run hand on to each other what they know."""

from __future__ import annotations

from typing import Any

import dagster as dg
from pydantic import TypeAdapter

from pipelines.landing import Landing
from pipelines.settings import Settings


def build_io_manager(settings: Settings) -> dg.ResourceDefinition | dg.IOManager:
    """Steps of one process hand on what is in memory; others find it in the landing, which all machines share."""
    return StepOutputs(Landing(settings)) if settings.runs.spreads else dg.mem_io_manager


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
