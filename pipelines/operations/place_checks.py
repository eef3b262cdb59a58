"""Places that the settings name and that a sync comes to late: findings by their paths in the settings."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from tempfile import TemporaryFile
from threading import Thread
from typing import TYPE_CHECKING

from connectors.contract import Finding
from pipelines.errors import HeadraceError
from pipelines.services import Services

if TYPE_CHECKING:
    from pipelines.landing.files import LandingFiles

_LONGEST_REASON = 300
"""Characters."""
_PATIENCE = 20.0
"""Seconds."""


def check_places(services: Services) -> Iterator[Finding]:
    """Whether the state directory and the landing take a file, and the golden questions can be asked."""
    yield from _check_state(services)
    yield _check_landing(services)
    yield from _check_golden(services)


def _check_state(services: Services) -> Iterator[Finding]:
    state = services.settings.state_path
    try:
        state.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=state):
            pass
    except OSError as error:
        yield Finding("state_dir", False, f"{state} takes no file: {error.strerror}")


def _check_landing(services: Services) -> Finding:
    files = services.landing.files
    try:
        _try_out(files)
    except Exception as error:  # noqa: BLE001  object stores have errors of many kinds
        return Finding("landing.url", False, _why_not(files, error))
    return Finding("landing", True, f"{files.root} takes files")


def _try_out(files: LandingFiles) -> None:
    """Raises TimeoutError where a store or a mounted disk does not answer, which libraries wait for by minutes."""
    ended = Future[None]()

    def run() -> None:
        try:
            files.try_out()
            ended.set_result(None)
        except Exception as error:  # noqa: BLE001 - for whoever waits
            ended.set_exception(error)

    Thread(target=run, daemon=True).start()
    ended.result(_PATIENCE)


def _why_not(files: LandingFiles, error: Exception) -> str:
    if files.in_s3 and isinstance(error, FileNotFoundError):
        bucket = files.root.partition("/")[0]
        return f"there is no bucket {bucket}: make it, or let `headrace migrate` do so"
    if isinstance(error, TimeoutError):
        return f"{files.root} does not answer within {_PATIENCE:.0f} s"
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{files.root} is no folder"
    if isinstance(error, OSError) and error.strerror:
        return f"{files.root} takes no file: {error.strerror}"
    return f"{files.root} takes no file: {type(error).__name__}: {' '.join(str(error).split())[:_LONGEST_REASON]}"


def _check_golden(services: Services) -> Iterator[Finding]:
    if golden := services.settings.golden:
        from pipelines.evaluation.questions import read_questions

        try:
            questions = read_questions(services.settings.directory / golden.file)
        except HeadraceError as error:
            yield Finding("golden.file", False, f"{error}; without them nothing is published")
        else:
            yield Finding("golden", True, f"{len(questions)} questions")
