"""A process with open services gives back what it has freed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FREEING = """
import sys
from pathlib import Path

import psutil

from pipelines.services import Services
from pipelines.settings import Settings

with Services(Settings(directory=Path(sys.argv[1]))):
    large = bytes(30_000_000)
    del large  # from here on the C library would keep as much as this
    before = psutil.Process().memory_info().rss
    many = [bytes(1_500) for _ in range(16_000)]
    del many
    print(psutil.Process().memory_info().rss - before)
"""


def test_what_was_freed_goes_back_to_the_operating_system(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", FREEING, str(tmp_path)], check=True, capture_output=True)
    assert int(ran.stdout) < 8_000_000
