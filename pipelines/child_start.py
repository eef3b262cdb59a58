"""How a child process of ours is started: with what Python needs of the environment, and no secret."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_KEPT_VARIABLES = ("COVERAGE_", "LANG", "LC_", "LD_LIBRARY_PATH", "PATH", "PYTHON", "TMPDIR", "TZ", "VIRTUAL_ENV")
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


def start_child(module: str) -> subprocess.Popen[bytes]:
    """A process of one thread that runs a module and talks over its standard input and output.

    No multiprocessing: below a daemonic process, such as a Celery worker's, that may start none. And nothing is forked:
    threads, gRPC and SQLite do not survive it.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=child_environment() | _ONE_THREAD,  # without a secret: it reads what strangers have written
    )


def child_environment() -> dict[str, str]:
    """With the places from which this process imports."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT_VARIABLES)}
    paths = [str(Path(one).absolute()) for one in sys.path]
    return kept | {"PYTHONPATH": os.pathsep.join(paths)}
