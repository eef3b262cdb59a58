"""How the steps of a run hand on to each other what they know."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import dagster as dg
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.tags import ROOT_RUN_ID_TAG
from pydantic import TypeAdapter

from assets.unfinished_runs import WAITING_OR_WORKING
from pipelines.errors import HeadraceError
from pipelines.landing import Landing
from pipelines.services import Services
from pipelines.settings import Settings


def build_io_manager(settings: Settings) -> dg.ResourceDefinition | dg.IOManager:
    """Steps of one process hand on what is in memory; others find it in the landing, which all machines share."""
    return StepOutputs(Landing(settings)) if settings.runs.spreads else dg.mem_io_manager


class StepOutputs(dg.IOManager):
    """What steps hand on, as JSON, in the landing's folder `steps` until the run has ended well, or another has."""

    def __init__(self, landing: Landing) -> None:
        self._files = landing.files

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        with self._files.atomic(_path(context)) as file:
            file.write(_adapter(context).dump_json(obj))

    def load_input(self, context: dg.InputContext) -> Any:
        output = context.upstream_output
        if output is None:
            raise RuntimeError("no step has made this")
        try:
            content = self._files.read(_path(output))
        except FileNotFoundError:
            raise HeadraceError(
                f"what the step {output.step_key} of the run {output.run_id} has handed on is gone, since a later run "
                "has done its work: launch a new run of the job instead of going on with that one"
            ) from None
        return _adapter(output).validate_json(content)


def remove_outputs(services: Services, instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Remove what the steps of a run have handed on that ends well, and those of runs of its job that have failed."""
    _remove(services.landing, run.run_id)
    _remove_ended(services, instance, job=run.job_name, but_for=run.run_id)


def remove_old_outputs(services: Services, instance: dg.DagsterInstance, before: datetime) -> None:
    """Remove what the steps of any run have handed on that ended before, or that the history no longer has."""
    _remove_ended(services, instance, before=before)


def _remove_ended(
    services: Services,
    instance: dg.DagsterInstance,
    *,
    job: str | None = None,
    before: datetime | None = None,
    but_for: str | None = None,
) -> None:
    """All but those from which another run goes on than `but_for`, and those of living runs of another instance."""
    for run in {path.split("/")[1] for path in services.landing.files.list("steps")}:
        known = instance.get_run_by_id(run)
        ended = dg.RunsFilter([run], job_name=job, statuses=FINISHED_STATUSES, updated_before=before)
        is_over = known is None or instance.get_run_ids(ended)
        root = known.root_run_id or run if known else run
        if is_over and not services.catalog.leases.is_run_alive(run) and not _followers(instance, root) - {but_for}:
            _remove(services.landing, run)


def _followers(instance: dg.DagsterInstance, root: str) -> set[str | None]:
    """The runs that go on from a failure of this one, or of one that did."""
    return set(instance.get_run_ids(dg.RunsFilter(tags={ROOT_RUN_ID_TAG: root}, statuses=WAITING_OR_WORKING)))


def _remove(landing: Landing, run: str) -> None:
    for path in list(landing.files.list(f"steps/{run}")):
        landing.files.remove(path)


def _path(context: dg.OutputContext) -> str:
    return "/".join(("steps", *context.get_identifier())) + ".json"


def _adapter(context: dg.OutputContext) -> TypeAdapter[Any]:
    # The reports name it, and import it for type checkers alone.
    from pipelines.catalog.failures import Cause  # noqa: F401

    return TypeAdapter(context.dagster_type.typing_type)
