"""`.env`, the file with the secrets that settings name: one `NAME=value` a line, as a shell reads it too."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from dotenv.parser import Binding, parse_stream
from dotenv.variables import Variable, parse_variables

from pipelines.errors import SettingsError

Problem: TypeAlias = tuple[str, str]
"""The file, and what is wrong in it."""

_PLAIN = re.compile(r"[\w.:/+=@%,-]+", re.ASCII)
"""What needs no quotes anywhere, not even where quotes would be part of the value, as in `kubectl`."""

_UNFIT_FOR_SINGLE = re.compile(r"'|\\\\|\\\Z")
_EXPANDED = re.compile(r"[$`]")


def read_variables(file: Path, environment: Mapping[str, str]) -> tuple[dict[str, str], list[Problem]]:
    """What the file says, and what in it cannot be used; nothing without a file (a folder of its name is none).

    `${OTHER}` stands for a variable of a line before, or of `environment`, except between single quotes.
    Raises SettingsError for a file that cannot be read.
    """
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for binding in _bindings(file):
        if binding.error:
            problems.append((str(file), f"line {_line(binding)} is not NAME=value, or a quote of it is not closed"))
        elif binding.key:
            value, missing = _expanded(binding, {**environment, **found})
            found[binding.key] = value
            problems += [(str(file), f"{binding.key}: the variable {name} in it is not set") for name in missing]
    return found, problems


def add_variables(file: Path, variables: Mapping[str, str]) -> None:
    """Add what has no value there yet, for the eyes of this user alone. A link stays one.

    Raises SettingsError for a file that cannot be read, and OSError for one that cannot be written.
    """
    known, _ = read_variables(file, os.environ)
    added = {name: value for name, value in variables.items() if not known.get(name)}
    lines = [_rewritten(binding, added) for binding in _bindings(file)]
    text = "".join(lines)
    if text and not text.endswith("\n"):
        text += "\n"
    text += "".join(f"{name}={_quoted(value)}\n" for name, value in added.items() if name not in known)
    with os.fdopen(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as opened:
        file.chmod(0o600)
        opened.write(text)


def _bindings(file: Path) -> Iterator[Binding]:
    if file.is_dir() or not file.exists():
        return iter(())
    try:
        return parse_stream(io.StringIO(file.read_text(encoding="utf-8")))
    except UnicodeDecodeError:
        raise SettingsError(str(file), "cannot be read: it is not UTF-8") from None
    except OSError as error:
        raise SettingsError(str(file), f"cannot be read: {error.strerror}") from None


def _line(binding: Binding) -> int:
    """Blank lines before it are part of what was read."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")


def _expanded(binding: Binding, variables: Mapping[str, str]) -> tuple[str, list[str]]:
    value = binding.value or ""
    if binding.original.string.partition("=")[2].lstrip().startswith("'"):
        return value, []
    atoms = list(parse_variables(value))
    named = [one for one in atoms if isinstance(one, Variable)]
    missing = [one.name for one in named if one.default is None and one.name not in variables]
    return "".join(one.resolve(variables) for one in atoms), missing


def _rewritten(binding: Binding, added: Mapping[str, str]) -> str:
    """The line as it stands, or with the value that it lacked."""
    text = binding.original.string
    if binding.key is None or binding.key not in added:
        return text
    blank = text[: len(text) - len(text.lstrip())]
    export = "export " if text.lstrip().startswith("export ") else ""
    return f"{blank}{export}{binding.key}={_quoted(added[binding.key])}\n"


def _quoted(value: str) -> str:
    """So that this module and a shell read the same. Of what single quotes cannot hold as it is, and double quotes
    would expand, no form is the same for both: then it is right here."""
    if _PLAIN.fullmatch(value) or not value:
        return value
    if not _UNFIT_FOR_SINGLE.search(value):
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\")
    if _EXPANDED.search(value):
        return "'" + escaped.replace("'", "\\'") + "'"
    return '"' + escaped.replace('"', '\\"') + '"'
