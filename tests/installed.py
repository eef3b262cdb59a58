"""`headrace …` in a process of its own, forked from one that has imported what the command imports: that takes most of
what a short command takes."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import chdir
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path

from pipelines.cli import main
from tests.paths import ROOT


def run_command(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, bytes, bytes]:
    """Exit code, standard output and standard error of the entry point that `headrace` installs, in `folder`."""
    output, errors = folder / ".output", folder / ".errors"
    process = _forks().Process(target=_run, args=(list(arguments), folder, dict(environment), output, errors))
    process.start()
    process.join()
    said = output.read_bytes(), errors.read_bytes()
    output.unlink()
    errors.unlink()
    return process.exitcode or 0, *said


@cache
def _forks() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.preloaded"])
    with chdir(ROOT):  # where it looks for modules
        forkserver.ensure_running()
    return context


def _run(arguments: list[str], folder: Path, environment: dict[str, str], output: Path, errors: Path) -> None:
    for number, path in ((1, output), (2, errors)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["headrace", *arguments]
    try:
        main()
    finally:
        atexit._run_exitfuncs()  # which processes that multiprocessing forks leave out
