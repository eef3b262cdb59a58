"""Files with holes. A shard reserves far more than it uses: a new one takes up 1 MB of 120."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


def bytes_on_disk(folder: Path) -> int:
    """What the files of a folder take up on disk, holes not counted."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


def copy_data(source: str, target: str) -> None:
    """Copy a file's data and leave its holes, sharing blocks where the file system can."""
    if not hasattr(os, "copy_file_range"):
        shutil.copyfile(source, target)
        return
    with Path(source).open("rb") as original, Path(target).open("wb") as copy:
        size = os.fstat(original.fileno()).st_size
        copy.truncate(size)
        for start, end in _data_ranges(original.fileno(), size):
            while start < end:
                start += os.copy_file_range(original.fileno(), copy.fileno(), end - start, start, start)


def _data_ranges(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """Start and end of each stretch of the file that is no hole."""
    end = 0
    while end < size:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # only holes follow
                return
            raise
        end = os.lseek(descriptor, start, os.SEEK_HOLE)
        yield start, end
