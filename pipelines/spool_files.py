"""Where the spool's files lie in the state directory, and which of them were set aside because they are damaged."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_DAMAGED = "damaged-"


@dataclass(frozen=True, slots=True)
class DamagedSpool:
    """A file of deliveries that could not be read any more `since` then."""

    file: Path
    since: datetime


def spool_file(state: Path) -> Path:
    return state / "spool" / "deliveries.db"


def set_aside(file: Path) -> Path:
    """Give a damaged file another name, by which it is found again."""
    kept = file.with_name(f"{_DAMAGED}{time.time_ns()}.db")
    file.rename(kept)
    return kept


def find_damaged(state: Path) -> list[DamagedSpool]:
    """What was set aside and not removed yet; of this machine's, since others have spools of their own."""
    return [
        DamagedSpool(file, datetime.fromtimestamp(file.stat().st_mtime, UTC))
        for file in sorted(spool_file(state).parent.glob(f"{_DAMAGED}*.db"))
    ]
