"""What a child process of ours gets of the environment: what Python needs, and no secret."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_KEPT_VARIABLES = ("COVERAGE_", "LANG", "LC_", "LD_LIBRARY_PATH", "PATH", "PYTHON", "TMPDIR", "TZ", "VIRTUAL_ENV")


def child_environment() -> dict[str, str]:
    """With the places from which this process imports."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT_VARIABLES)}
    paths = [str(Path(one).absolute()) for one in sys.path]
    return kept | {"PYTHONPATH": os.pathsep.join(paths)}
