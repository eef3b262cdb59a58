"""The page of the command line, from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption

from docs.site.tables import MADE, code, table
from pipelines.cli.app import app

_INTRODUCTION = """\
`headrace COMMAND --help` says the same. Exit codes: 0 ok, 1 failed, 2 wrong use, 130 interrupted, 143 ended by SIGTERM.
Errors are one line on standard error. With `--json` the last line of standard output is one JSON object."""


def cli_page() -> str:
    """The page as Markdown."""
    root = typer.main.get_command(app)
    sections = (part for path, command in _commands(root, "headrace") for part in _section(path, command))
    return "\n\n".join([MADE, "# Command line", _INTRODUCTION, *sections]) + "\n"


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, with what is typed for it."""
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from _commands(inner, f"{path} {name}")
    else:
        yield path, command


def _section(path: str, command: Any) -> Iterator[str]:
    context = typer.Context(command, info_name=path)
    yield f"## {code(path)}"
    yield code(" ".join([path, *command.collect_usage_pieces(context)]))
    yield inspect.cleandoc(command.help or "")
    if rows := [row for one in command.params if (row := _row(one, context))]:
        yield table(("argument or option", "meaning"), rows)
    if examples := [line for line in (command.epilog or "").splitlines() if line.startswith("headrace ")]:
        yield "\n".join(["```sh", *examples, "```"])


def _row(one: TyperArgument | TyperOption, context: typer.Context) -> tuple[str, str] | None:
    """What is typed and what it does; None for an argument of which the usage says all."""
    is_told = isinstance(one, TyperOption) or one.help
    if not is_told or not (record := one.get_help_record(context)):
        return None
    name, text = record
    return code(name), text.strip()
