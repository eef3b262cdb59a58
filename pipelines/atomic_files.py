"""Files that are replaced as a whole: after a crash or a loss of power there is the old content or the new."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4


def write_json(file: Path, content: dict[str, Any]) -> None:
    """Replace a file by one with this content, durably: it is on disk when this returns."""
    write_text(file, json.dumps(content))


def write_text(file: Path, text: str) -> None:
    """As `write_json`, of any text."""
    temporary = file.with_name(f"{file.name}.{uuid4().hex}")
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)
    _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
