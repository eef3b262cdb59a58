"""Writes the settings and their secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pipelines.env_file import add_variables, read_variables
from pipelines.errors import SettingsError, UsageError


def require_new(file: Path) -> tuple[Path, dict[str, str]]:
    """Where the secrets of new settings go, and the variables that are set already, there or in the environment.

    Raises UsageError if there are settings already, which may be somebody's work; and UsageError or SettingsError if
    secrets cannot be added.
    """
    if file.exists():
        raise UsageError(f"{file} exists; change it, or move it away first")
    secrets = file.with_name(".env")
    if secrets.is_dir():
        raise UsageError(f"{secrets} is a folder, and the secrets are to go into a file of that name")
    known, unusable = read_variables(secrets, os.environ)
    if unusable:
        raise SettingsError(*unusable[0], unusable[1:])
    return secrets, {name: value for name, value in {**known, **os.environ}.items() if value}


def write_new(file: Path, text: str, secrets: Path, variables: Mapping[str, str]) -> None:
    """Write settings, and before them what they name: where that fails, nothing is in the way of another try.

    Raises UsageError.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        add_variables(secrets, variables)
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        raise UsageError(f"{error.filename or file} cannot be written: {error.strerror}") from None
