"""What of a unit is processed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from connectors.contract import Window

Stage: TypeAlias = Literal["documents", "chunks", "vectors"]
STAGES: tuple[Stage, ...] = ("documents", "chunks", "vectors")

Mode: TypeAlias = Literal["changes", "full", "reconcile", "gone", "documents"]
"""Which part of a unit is read.

`changes`: what has changed since the last read. `full`: everything. `reconcile`: a listing, and then only what
it shows to be missing, out of date or gone. `gone`: the unit is no longer listed, so its documents are fetched
once more and removed. `documents`: only the documents that are named.
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A connection to work on: all its units, or only these."""

    connection: str
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """Which stages run, and what is read. A `window` of time narrows the mode `changes`.

    `scheduled` says that a schedule or an event asks, and no person: then what can wait is left out
    (`pipelines.ingestion.pacing`, and documents that failed and whose next attempt is to come).
    `dry_run` goes with `reconcile`: nothing is written, and the report says what would be.
    """

    stages: tuple[Stage, ...] = STAGES
    mode: Mode = "changes"
    window: Window | None = None
    documents: tuple[str, ...] = ()
    allow_mass_delete: bool = False
    dry_run: bool = False
    scheduled: bool = False


DEFAULT = SyncOptions()
