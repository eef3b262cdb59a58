"""What of a unit is processed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from connectors.model import Window

Stage: TypeAlias = Literal["documents", "chunks", "vectors"]
STAGES: tuple[Stage, ...] = ("documents", "chunks", "vectors")


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """Which stages run, and what is read: what changed, everything (`full`), or a window of time.

    `gone` marks a unit that the source no longer lists: its documents are looked at again and removed.
    """

    stages: Sequence[Stage] = STAGES
    full: bool = False
    window: Window | None = None
    gone: bool = False
    allow_mass_delete: bool = False
