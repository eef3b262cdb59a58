"""What a person meets first: help with examples that work, the version, completion."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from pipelines.cli.app import app

ROOT: Any = typer.main.get_command(app)


def commands(group: Any, *names: str) -> Iterator[tuple[str, ...]]:
    for name, one in getattr(group, "commands", {}).items():
        yield from commands(one, *names, name) if hasattr(one, "commands") else [(*names, name)]


ALL = sorted(commands(ROOT))


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_every_command_says_what_it_does_and_shows_examples_that_it_takes(names: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*names, "-h"], env={"COLUMNS": "300"})
    assert shown.exit_code == 0
    found = [line.strip() for line in shown.output.splitlines() if line.strip().startswith("headrace ")]
    assert found
    for example in found:
        assert tuple(shlex.split(example)[1 : 1 + len(names)]) == names
        parse(shlex.split(example)[1:])


def parse(arguments: list[str]) -> None:
    """Raises the parser's UsageError for what the command does not take."""
    command: Any = ROOT
    context = None
    while hasattr(command, "commands"):
        command, arguments = command.commands[arguments[0]], arguments[1:]
        context = command.make_context(command.name, list(arguments), parent=context)


def test_there_are_commands_at_all() -> None:
    assert ("sync",) in ALL
    assert ("events", "replay") in ALL


def test_the_version_is_that_of_the_package() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"headrace {version('headrace')}\n"


def test_shells_can_complete() -> None:
    environment = {"_HEADRACE_COMPLETE": "complete_bash", "COMP_WORDS": "headrace re", "COMP_CWORD": "1"}
    completed = CliRunner().invoke(app, [], prog_name="headrace", env=environment)
    assert {"reconcile", "reindex", "restore", "resume"} <= set(re.findall(r"\w+", completed.output))
