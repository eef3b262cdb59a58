"""`make chaos`: for half an hour, whatever can be killed, taken away or slowed down is, while 2,000 changes come in.

At the end nothing may be lost, doubled or paid twice, every process must be there, and no run be stuck. Exits with 1
where that is not so. What happens is drawn from `--seed`; when it happens depends on the machine.
"""

from __future__ import annotations

import argparse
import logging
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from tests.chaos.clock import NoCompiler
from tests.chaos.faults import Faults
from tests.chaos.people import Outside
from tests.chaos.source import BusyGitHub
from tests.chaos.system import QUESTION, System, running
from tests.chaos.verdict import find_wrong, wait_until_drained
from tests.dagster_api import wait_for
from tests.emulators.postgres import dump_database

QUIET_SECONDS = 12.0
"""What the first sync takes on two cores that have nothing else to do."""
MOST_SLOWNESS = 5.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--events", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    folder = Path(tempfile.mkdtemp(prefix="headrace-chaos-"))
    print(f"logs and settings: {folder}", flush=True)
    (folder / "runtime").mkdir(mode=0o700)
    try:
        with running(folder, BusyGitHub(random.Random(arguments.seed))) as system:
            wrong = torment(system, arguments.minutes * 60, arguments.events, arguments.seed)
            ended = system.supervisor.unexpected_ends()
            if wrong or ended:
                dump_database(system.catalog, folder / "catalog.sql")
    except NoCompiler as error:
        sys.exit(str(error))
    if wrong or ended:
        print(f"the logs of all processes and the catalog, catalog.sql, are in {folder}")
    else:
        shutil.rmtree(folder)
    sys.exit(1 if wrong else 0)


def torment(system: System, seconds: float, events: int, seed: int) -> list[str]:
    """Let it run through everything; returns what was wrong at the end."""
    processes = {name: service.process for name, service in system.supervisor.services.items() if service.process}
    wait_for(lambda: system.dagster.locations() == ["headrace"], processes)
    slowness = read_everything(system) / QUIET_SECONDS
    faults = Faults(system, random.Random(seed + 1), min(max(slowness, 1.0), MOST_SLOWNESS))
    outside, started = Outside.of(system, seed), time.monotonic()
    with ExitStack() as stack:
        for work in (faults.run_until, outside.askers.ask_until, outside.operator.sync_until):
            stack.enter_context(beside(work))
        outside.deliveries.deliver_all(events, seconds)
    for delivery in outside.deliveries.undelivered:  # once a server has started again
        wait_for(partial(outside.deliveries.deliver, delivery), {})
    drained, stuck = wait_until_drained(system)
    last = system.run("sync", "hub", "--json")
    wrong = [*stuck, *find_wrong(system, faults, outside)]
    wrong += [f"the last sync failed: {last.stderr}"] if last.returncode else []
    print(f"\n{time.monotonic() - started:.0f} s; the last event was done {drained:.0f} s after the last fault")
    report(system, faults, outside, wrong)
    return wrong


def read_everything(system: System) -> float:
    """The first sync; returns how many seconds it took."""
    started = time.monotonic()
    first = system.run("sync", "hub", "--json")
    assert first.returncode == 0, first.stderr
    return time.monotonic() - started


@contextmanager
def beside(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Let it work in a thread until the context ends."""
    ended = threading.Event()
    thread = threading.Thread(target=work, args=(ended,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def report(system: System, faults: Faults, outside: Outside, wrong: list[str]) -> None:
    deliveries, refused = outside.deliveries, outside.operator.refused
    paid = [len(moments) for words, moments in system.embeddings.answered.items() if words != QUESTION]
    print(f"faults: {dict(faults.counts)}, {faults.slowness:.1f} times as far apart as on a quiet machine")
    print(f"refused: { {name: dict(proxy.counts) for name, proxy in system.proxies.items()} }")
    print(f"deliveries: {dict(deliveries.answers)}, taken by nobody at first: {len(deliveries.undelivered)}")
    print(f"questions: {dict(outside.askers.answers)}")
    print(f"runs: {dict(Counter(system.dagster.all_statuses()))}; that could not be started: {dict(refused)}")
    print(f"starts: { {name: service.starts for name, service in system.supervisor.services.items()} }")
    print(f"ends that nobody asked for, by exit code: {system.supervisor.unexpected_ends()}")
    print(f"embedded: {len(paid)} texts of documents, {sum(paid) - len(paid)} of them again")
    print(f"documents at the end: {len(system.source.words)}")
    for line in wrong:
        print(f"WRONG  {line}")
    print("nothing was lost, doubled or stuck" if not wrong else f"{len(wrong)} things are wrong")


if __name__ == "__main__":
    main()
