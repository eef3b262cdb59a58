"""What a command costs is counted with its children, those that nobody waits for included."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from tests.bench.costs import run_counted

WORK = "import time; held = bytearray(b'x') * 60_000_000\nwhile time.process_time() < 0.5: pass\n"
LEFT = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {WORK + "print('worked', flush=True); time.sleep(60)"!r}],
    stdout=subprocess.PIPE)
child.stdout.readline()
time.sleep(0.4)
print("done")
import os; os._exit(0)
"""
WAITED_FOR = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WORK!r}])"


@pytest.mark.parametrize("command", [LEFT, WAITED_FOR], ids=["left behind", "waited for"])
def test_a_commands_costs_hold_those_of_its_children(command: str) -> None:
    costs = run_counted([sys.executable, "-c", command])
    assert costs.cpu_seconds >= 0.5
    assert costs.largest_mb > 60
    assert costs.sum_mb > 60
    assert 0.5 <= costs.wall_seconds < 30


def test_a_command_that_fails_is_told() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run_counted([sys.executable, "-c", "raise SystemExit(3)"])


def test_what_outlives_a_later_command_is_nobodys_here() -> None:
    run_counted([sys.executable, "-c", "pass"])
    before = {child.pid for child in psutil.Process().children()}
    leaves_one = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1)'])"
    subprocess.run([sys.executable, "-c", leaves_one], check=True)
    assert {child.pid for child in psutil.Process().children()} == before
