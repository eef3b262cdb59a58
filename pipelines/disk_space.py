"""Whether a disk is full: SQLite says "disk I/O error" of it, and a copy of many files lists all of them."""

from __future__ import annotations

import shutil
from pathlib import Path

_LEAST_BYTES = 1024 * 1024
"""With less, a database of some pages' log cannot be opened, though small files may still fit."""


def is_full(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < _LEAST_BYTES


def describe_full(folder: Path) -> str:
    return f"no space left on the disk of {folder}: make room and try again; nothing is broken or lost"
