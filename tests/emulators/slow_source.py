"""A source of many units that takes its time for each, for the processes of Celery's workers, which import this.

Each unit that is read is a line of the file UNITS_READ: the process, and the unit. A worker with STUCK takes a task,
and does no more than make a file of this name.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from celery.signals import task_prerun

import pipelines.ingestion.sync
from connectors.contract import Cursor, Item, Window
from connectors.model import Unit
from connectors.settings import Connection
from pipelines.services import Services
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

SECONDS_PER_REQUEST = 0.1
WITH_TEXT = 10
"""Every so manieth unit holds a document; the others are empty."""


def unit_count() -> int:
    return int(os.environ["UNITS"])


@dataclass
class SlowSource(MemorySource):
    listed: list[Unit] = field(
        default_factory=lambda: [Unit(f"{number:05}", f"unit-{number:05}") for number in range(unit_count())]
    )

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        time.sleep(SECONDS_PER_REQUEST)
        with Path(os.environ["UNITS_READ"]).open("a") as file:
            file.write(f"{os.getpid()} {unit.id}\n")
        own = MemorySource()
        if int(unit.id) % WITH_TEXT == 0:
            own.put(document(int(unit.id), unit=unit.id))
        self.requests += 1
        yield from own.read(unit, cursor, window)


def _connect(connection: Connection) -> SlowSource:
    return SlowSource()


if "UNITS_READ" in os.environ:
    pipelines.ingestion.sync.connect = _connect  # type: ignore[attr-defined]
    Services.embedder = FakeEmbedder()  # type: ignore[assignment]


def _get_stuck(**_: Any) -> None:
    if "STUCK" in os.environ:
        Path(os.environ["STUCK"]).touch()
        time.sleep(600)


task_prerun.connect(_get_stuck)
