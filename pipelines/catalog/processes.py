"""Which process holds a lease, and whether one of this machine has died.

A process is known by a random id: two hosts may have one name, and process ids are used again. That it lives, the
operating system says: it holds a lock on a file, which is let go when the process ends, however it ends.
"""

from __future__ import annotations

import errno
import os
import socket
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from pipelines.errors import SettingsError
from pipelines.machine import this_boot

_FORMER_START = " of 0"


def shown_name(name: str) -> str:
    """A process's name for people."""
    return name.removesuffix(_FORMER_START)


class LocalProcess:
    """This process, as others that share its state directory see it."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "processes"
        self.id = uuid4().hex
        self.machine = this_boot()
        # Earlier releases read `HOST process PID of START`, and look for a process of their own host by its number:
        # the id beside the host's name keeps them from it.
        self.name = f"{socket.gethostname()}/{self.id[:8]} process {os.getpid()}{_FORMER_START}"

    @cached_property
    def _life(self) -> FileLock:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise SettingsError("state_dir", f"{self._folder} cannot be made: {error.strerror}") from None
        return FileLock(self._folder / f"{self.id}.lock", thread_local=False)

    def show_alive(self) -> None:
        """From here on until this process ends, others see that it lives."""
        if not self._life.is_locked:
            self._life.acquire()

    def has_died(self, process: str, machine: str) -> bool | None:
        """Whether another process has died; None where only the time that its lease has left can tell.

        A lock says nothing of what runs under another operating system, as on a file system that several share.
        """
        file = self._folder / f"{process}.lock"
        if machine != self.machine or not process or not file.exists():
            return None
        if process == self.id:
            return False
        try:
            with FileLock(file, blocking=False, thread_local=False):
                return True
        except Timeout:
            return False

    def remove_traces(self, process: str) -> None:
        """Remove the file of a dead process, or of this one as it ends."""
        if process == self.id and "_life" in vars(self) and self._life.is_locked:
            self._life.release()
        (self._folder / f"{process}.lock").unlink(missing_ok=True)
