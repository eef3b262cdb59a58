"""Wall clocks that jump under living processes, while their monotonic ones go on as those of a machine do.

faketime does not do for this: it reads its file beside other threads, and gives these the wrong clock meanwhile.
"""

from __future__ import annotations

import mmap
import shutil
import subprocess
from pathlib import Path
from typing import Final

_SOURCE = Path(__file__).with_name("clock.c")
_BYTES = 8
_NANOSECONDS: Final = 1_000_000_000


class NoCompiler(Exception):
    """Clocks cannot jump here."""


def compile_clock(directory: Path) -> Path:
    """The library that a process preloads, compiled into `directory`. Raises NoCompiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NoCompiler("clocks cannot jump: there is no C compiler `cc` on the path; install one (Debian: gcc)")
    library = directory / "clock.so"
    subprocess.run([compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, _SOURCE], check=True)
    return library


class SkewedClock:
    """The wall clock of the processes that are started with its `environment`."""

    def __init__(self, library: Path, file: Path) -> None:
        file.write_bytes(bytes(_BYTES))
        with file.open("r+b") as opened:
            self._offset = memoryview(mmap.mmap(opened.fileno(), _BYTES)).cast("q")  # written as one word
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_OFFSET_FILE": str(file)}

    def set_offset(self, seconds: float) -> None:
        """From now on it is so many seconds ahead of the machine's, or behind it where that is negative."""
        self._offset[0] = round(seconds * _NANOSECONDS)
