"""How fast a command starts: nothing heavy is imported before a command needs it."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("dagster", "dlt", "numpy", "pyarrow", "qdrant_edge", "sqlalchemy")


def test_the_help_and_an_error_in_the_settings_wait_for_no_heavy_module() -> None:
    program = f"import sys, pipelines.cli.app; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
