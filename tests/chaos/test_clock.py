"""The clock that the chaos run lets jump: of a process that is running, forward and back, and the wall clock alone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.chaos.clock import NoCompiler, SkewedClock, compile_clock

HOUR = 3600.0
COARSE = 5
"""Linux's number of its coarse wall clock, for which Python has no name."""
TELL_CLOCKS = f"""
import datetime, sys, time
for _ in sys.stdin:
    now = datetime.datetime.now().timestamp()
    print(time.time(), now, time.clock_gettime({COARSE}), time.monotonic(), flush=True)
"""


@pytest.fixture
def clock(tmp_path: Path) -> SkewedClock:
    try:
        return SkewedClock(compile_clock(tmp_path), tmp_path / "clock")
    except NoCompiler as error:
        pytest.skip(str(error))


def test_a_wall_clock_jumps_under_a_living_process_and_the_monotonic_one_does_not(clock: SkewedClock) -> None:
    command, pipe = [sys.executable, "-c", TELL_CLOCKS], subprocess.PIPE
    with subprocess.Popen(command, env=os.environ | clock.environment, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin
        assert process.stdout
        for offset in (0.0, HOUR, -HOUR, 0.25, 0.0):
            clock.set_offset(offset)
            before = time.time(), time.monotonic()
            process.stdin.write("\n")
            process.stdin.flush()
            *walls, monotonic = (float(told) for told in process.stdout.readline().split())
            assert all(before[0] + offset - 0.02 <= wall <= time.time() + offset for wall in walls), (offset, walls)
            assert before[1] <= monotonic <= time.monotonic()
        process.stdin.close()


def test_programs_in_c_see_it_too(clock: SkewedClock) -> None:
    clock.set_offset(-HOUR)
    told = subprocess.run(["date", "+%s"], env=os.environ | clock.environment, capture_output=True, check=True)
    assert -HOUR - 1 <= int(told.stdout) - datetime.now().timestamp() <= -HOUR + 5
