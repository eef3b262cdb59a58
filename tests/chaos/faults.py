"""What goes wrong, one thing after the other, by chance."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from tests.chaos.proxy import Refusal
from tests.chaos.supervisor import Service
from tests.chaos.system import SKEWED, System

SECONDS_BETWEEN = (4.0, 14.0)
"""On a machine that has nothing else to do; see `Faults.slowness`."""
REFUSALS = (
    Refusal(503),
    Refusal(503, share=0.5, retry_after="2"),
    Refusal(429, retry_after="1"),
    Refusal(429, share=0.5),
    Refusal(500, share=0.7),
    Refusal(0),
    Refusal(503, seconds=5.0, share=0.5),
)
LARGEST_JUMP = 900.0
"""Seconds."""


@dataclass
class Faults:
    """`unanswered` are the moments (monotonic) since when what was under way may have been paid without being kept:
    a process was killed, or the catalog was away. `offsets` are the seconds by which clocks are off. `slowness` is how
    many times longer all takes than on a machine that has nothing else to do: were faults not to come as much more
    rarely, no worker would live for as long as it takes to do anything, and nothing would be tried."""

    system: System
    chance: random.Random
    slowness: float
    counts: Counter[str] = field(default_factory=Counter)
    unanswered: list[tuple[float, float]] = field(default_factory=list)
    offsets: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SKEWED, 0.0))

    def run_until(self, ended: threading.Event) -> None:
        """One fault after the other until `ended`; then nothing is amiss any more but the clocks."""
        kinds: dict[Callable[[], str], int] = {
            self._kill_service: 5,
            self._kill_run: 3,
            self._restart_rolling: 2,
            self._take_postgres_away: 2,
            self._refuse: 6,
            self._let_a_clock_jump: 2,
        }
        while not ended.wait(self.slowness * self.chance.uniform(*SECONDS_BETWEEN)):
            fault = self.chance.choices(list(kinds), list(kinds.values()))[0]
            name = fault()
            self.counts[name] += 1
            print(f"{time.strftime('%H:%M:%S')}  {name}", flush=True)
        for proxy in self.system.proxies.values():
            proxy.refusal = None

    def _kill_service(self) -> str:
        service = self._any_service()
        service.kill()
        self._note_unanswered()
        return f"kill -9 {service.name.rstrip('-12')}"

    def _kill_run(self) -> str:
        """A process in which a run works: a child of the code server."""
        server = self.system.supervisor.services["definitions"].process
        try:
            children = psutil.Process(server.pid).children(recursive=True) if server else []
            runs = [one for one in children if "multiprocessing" in " ".join(one.cmdline())]
            if not runs:
                return "no run to kill"
            self.chance.choice(runs).kill()
        except psutil.NoSuchProcess:
            return "no run to kill"
        self._note_unanswered()
        return "kill -9 run"

    def _restart_rolling(self) -> str:
        """One after the other is asked to stop, as for a new version."""
        names = self.chance.choice([("worker-1", "worker-2"), ("retrieval-1", "retrieval-2")])
        for name in names:
            started = time.monotonic()
            self.system.supervisor.services[name].stop()
            self._note_unanswered(started)
            time.sleep(5)
        return f"rolling restart {names[0].rstrip('-12')}"

    def _take_postgres_away(self) -> str:
        started = time.monotonic()
        self.system.postgres.stop()
        time.sleep(self.chance.uniform(2, 20))
        self.system.postgres.start()
        self._note_unanswered(started)
        return "postgres restarted"

    def _refuse(self) -> str:
        name = self.chance.choice(list(self.system.proxies))
        refusal = self.chance.choice(REFUSALS)
        self.system.proxies[name].refusal = refusal
        time.sleep(self.chance.uniform(3, 15))
        self.system.proxies[name].refusal = None
        return f"{name} answers {refusal.status or 'nothing'}"

    def _let_a_clock_jump(self) -> str:
        name = self.chance.choice(SKEWED)
        before, after = self.offsets[name], self.chance.uniform(-LARGEST_JUMP, LARGEST_JUMP)
        self.system.clocks[name].set_offset(after)
        self.offsets[name] = after
        return f"clock {'back' if after < before else 'ahead'}"

    def _any_service(self) -> Service:
        return self.chance.choice(list(self.system.supervisor.services.values()))

    def _note_unanswered(self, since: float | None = None) -> None:
        now = time.monotonic()
        self.unanswered.append((now if since is None else since, now))
