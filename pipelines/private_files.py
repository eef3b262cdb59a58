"""What Headrace keeps is everybody's documents: no other account of the machine may read it."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

logger = logging.getLogger(__name__)

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def keep_private(directory: Path) -> None:
    """Whatever this process makes from now on is its owner's alone, and so is what this directory holds already.

    SQLite, the engine, dlt and Dagster make files by themselves: nothing but the process's umask tells them how.
    """
    os.umask(_OTHERS)
    directory = directory.resolve()
    try:
        if not directory.stat().st_mode & _OTHERS:
            return
    except OSError:
        return  # not there yet; or out of reach, as whoever opens what is in it will say
    # Made by an earlier release or by somebody else. The directory itself comes last: a walk that was cut short is
    # begun again by the next process.
    for folder, folders, files in os.walk(directory):
        for name in (*folders, *files):
            narrow(Path(folder, name))
    narrow(directory)


def narrow(path: Path) -> None:
    """Take a file or directory from all but its owner. Warns where its mode is not this account's to change."""
    try:
        mode = path.lstat().st_mode
        if mode & _OTHERS and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
    except FileNotFoundError:
        pass  # a temporary file of another process, or nothing yet
    except PermissionError as error:
        logger.warning("%s: others may read it, and its mode cannot be changed: %s", path, error.strerror)
