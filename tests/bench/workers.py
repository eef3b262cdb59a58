"""What a second Celery worker is worth: a sync that finds nothing new, of units that take 100 ms each."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.emulators.celery_workers import REDIS, Workplace, workplace


def main(units: int = 2_000) -> None:
    if REDIS is None:
        print("redis-server is not installed: workers are left out")
        return
    with tempfile.TemporaryDirectory() as folder, workplace(Path(folder), units) as place:
        with place.worker("one"):
            print(f"{units} units, first sync, 1 worker: {_seconds(place):.1f} s", flush=True)
            alone = _seconds(place)
            print(f"{units} units, nothing new, 1 worker: {alone:.1f} s", flush=True)
            with place.worker("two"):
                both = _seconds(place)
        print(f"{units} units, nothing new, 2 workers: {both:.1f} s, {alone / both:.2f} times as fast", flush=True)


def _seconds(place: Workplace) -> float:
    started, sync = time.perf_counter(), place.sync()
    output, _ = sync.communicate()
    if sync.returncode:
        sys.exit(output)
    return time.perf_counter() - started


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
