"""The code location whose jobs are launched: that of the workspace file, else the installed definitions."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg
from dagster._core.remote_representation.code_location import CodeLocation
from dagster._core.remote_representation.external import RemoteRepository
from dagster._core.workspace.context import BaseWorkspaceRequestContext, WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget, WorkspaceFileTarget, WorkspaceLoadTarget

from pipelines.errors import HeadraceError
from pipelines.settings import Settings

_FILE, _MODULE = "workspace.yaml", "assets.definitions"


class CodeLocationError(HeadraceError):
    """No code location has the job that is to be launched."""

    def __init__(self, job: str, reason: str, place: str) -> None:
        super().__init__(
            f"the job {job} cannot be launched: {reason}. Its code location is {place}: see that "
            f"`dagster definitions validate` succeeds there, restart what serves it if the settings have changed, or "
            f"let `{_FILE}` beside the settings name the server that has it"
        )


@dataclass(frozen=True, slots=True)
class LocatedJob:
    """A job, and where it was found."""

    name: str
    workspace: BaseWorkspaceRequestContext
    location: CodeLocation
    repository: RemoteRepository


@contextmanager
def locate_job(settings: Settings, instance: dg.DagsterInstance, name: str) -> Iterator[LocatedJob]:
    """The job by its name, as long as the context lasts: a server of the installed definitions ends with it.

    Raises CodeLocationError.
    """
    file = settings.directory / _FILE
    target: WorkspaceLoadTarget = ModuleTarget(_MODULE, None, str(settings.directory.absolute()), None)
    place = f"the module {_MODULE}"
    if file.exists():
        target, place = WorkspaceFileTarget([str(file)]), str(file)
    try:
        with warnings.catch_warnings(action="ignore"):  # by which Dagster tells what `_find` says
            opened = WorkspaceProcessContext(instance, target, code_server_log_level="WARNING")
    except dg.DagsterError as error:  # a file that is none of Dagster's
        raise CodeLocationError(name, str(error).splitlines()[0], place) from None
    with opened as process:
        yield _find(process.create_request_context(), name, place)


def _find(workspace: BaseWorkspaceRequestContext, name: str, place: str) -> LocatedJob:
    for location in workspace.code_locations:
        for repository in location.get_repositories().values():
            if repository.has_job(name):
                return LocatedJob(name, workspace, location, repository)
    errors = [error.message.strip().splitlines()[0] for error in workspace.code_location_errors()]
    raise CodeLocationError(name, "; ".join(errors) or "no code location that was loaded has it", place)
