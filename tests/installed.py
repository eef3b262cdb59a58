"""`headrace …` in a process of its own, forked from one that has imported what the command imports: that takes most of
what a short command takes."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from pipelines.cli import main
from tests.paths import ROOT


@dataclass(frozen=True)
class StartedCommand:
    """A command that runs. As a context manager, it is waited for."""

    process: BaseProcess

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.wait()

    @property
    def pid(self) -> int:
        assert self.process.pid
        return self.process.pid

    def poll(self) -> int | None:
        """The exit code of one that has ended, which is below zero for one that a signal has killed."""
        return self.process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Exit code. Raises TimeoutError after `timeout` seconds."""
        self.process.join(timeout)
        if self.process.exitcode is None:
            raise TimeoutError
        return self.process.exitcode

    def send_signal(self, signum: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, signum)

    def terminate(self) -> None:
        self.process.terminate()

    def kill(self) -> None:
        self.process.kill()


def run_command(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, bytes, bytes]:
    """Exit code, standard output and standard error of the entry point that `headrace` installs, in `folder`."""
    output, errors = folder / ".output", folder / ".errors"
    code = start_command(arguments, folder, environment, output, errors).wait()
    said = output.read_bytes(), errors.read_bytes()
    output.unlink()
    errors.unlink()
    return code, *said


def start_command(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], output: Path, errors: Path
) -> StartedCommand:
    """Start the entry point that `headrace` installs, in `folder`; what it prints is added to these files."""
    process = _forks().Process(target=_run, args=(list(arguments), folder, dict(environment), output, errors))
    process.start()
    return StartedCommand(process)


@cache
def _forks() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.preloaded"])
    with chdir(ROOT):  # where it looks for modules
        forkserver.ensure_running()
    return context


def _run(arguments: list[str], folder: Path, environment: dict[str, str], output: Path, errors: Path) -> None:
    for number, path in ((1, output), (2, errors)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["headrace", *arguments]
    try:
        main()
    finally:
        atexit._run_exitfuncs()  # which processes that multiprocessing forks leave out
