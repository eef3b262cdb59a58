"""Writes the settings and their secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values, set_key

from pipelines.errors import UsageError


def write_new(file: Path, text: str) -> None:
    """Raises UsageError if the file exists: it may be somebody's work."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise UsageError(f"{file} exists; change it, or move it away first") from None


def add_secrets(file: Path, variables: Mapping[str, str]) -> None:
    """Add what is not there yet, for the eyes of this user alone."""
    os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
    file.chmod(0o600)
    known = dotenv_values(file)
    for name, value in variables.items():
        if not known.get(name):
            set_key(file, name, value)
