"""Processes that are started again when they end, as systemd or a container engine does."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

PAUSE = 1.0
"""Seconds before a process is started again."""
GRACE = 10.0
"""Seconds within which a process has to stop: past them it is killed, and counted."""


@dataclass
class Service:
    """One process that is to be there all the time. `restarts` counts its ends by exit code, those asked for aside."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    ends: Counter[int] = field(default_factory=Counter)
    slow_stops: list[float] = field(default_factory=list)
    asked: bool = False

    def start(self) -> None:
        with (self.directory / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.directory,
                env=dict(self.environment),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.starts += 1
        self.asked = False

    def kill(self) -> None:
        """Like a power cut, of all of its group."""
        if self.process is None:
            return
        self.asked = self.asked or self.process.poll() is None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def stop(self) -> float:
        """Ask it to stop, and return how many seconds it took. Past the time that it has, it is killed."""
        if self.process is None or self.process.poll() is not None:
            return 0.0
        self.asked, started = True, time.monotonic()
        self.process.terminate()
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.slow_stops.append(time.monotonic() - started)
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        return time.monotonic() - started


class Supervisor:
    def __init__(self, services: Sequence[Service]) -> None:
        self.services = {service.name: service for service in services}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        for service in self.services.values():
            service.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        for service in self.services.values():
            if service.process and service.process.poll() is None:
                service.process.terminate()
        for service in self.services.values():
            service.stop()
            service.kill()  # what it left of its group, as a server of definitions that waits for a run

    def unexpected_ends(self) -> dict[str, dict[int, int]]:
        """Exit codes of processes that ended although nobody had asked, and how often."""
        return {name: dict(service.ends) for name, service in self.services.items() if service.ends}

    def _watch(self) -> None:
        while not self._ended.wait(PAUSE):
            for service in self.services.values():
                if service.process and (code := service.process.poll()) is not None:
                    if not service.asked:
                        service.ends[code] += 1
                    service.start()
