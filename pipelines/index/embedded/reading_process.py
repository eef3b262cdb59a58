"""A process that reads the published index, as its parent sees it."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from pipelines.child_start import child_environment
from pipelines.errors import IndexUnavailable
from pipelines.index.embedded.reading_protocol import Opening, ReaderCall, ReaderReply
from pipelines.machine import processor_seconds

IDLE_SECONDS = 5
"""A process that owes an answer and has not worked for so long hangs; reading a slow disk is work."""
LONGEST_SECONDS = 30.0
"""What one question may take of a process at work."""
SECONDS_TO_OPEN = 120.0
"""What the first question may take: the process starts, and loads the index."""
_SECONDS_TO_END = 2.0


class ReaderDied(Exception):
    """The process has ended by itself, or was ended since it hung; `how` is for people."""

    def __init__(self, how: str) -> None:
        self.how = how
        super().__init__(how)


class ReadingProcess:
    """One child; it starts while the caller goes on. Used by one thread at a time. Ends when it is garbage: its pipe is
    closed then."""

    def __init__(self, opening: Opening) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            # No multiprocessing: it would run the main module of this process once more.
            self._child = subprocess.Popen(
                _command(theirs.fileno()), pass_fds=[theirs.fileno()], env=child_environment()
            )
        _limit_waiting(ours)
        self._pipe = Connection(ours.detach())
        self._seconds = SECONDS_TO_OPEN
        with suppress(OSError):  # it has ended already, which the first question finds
            self._pipe.send(opening)

    def ask(self, call: ReaderCall) -> Any:
        """What the reader has returned. Raises as it does; ReaderDied; and IndexUnavailable where it takes too long."""
        try:
            self._pipe.send(call)
            self._wait()
            reply: ReaderReply = self._pipe.recv()
        except BlockingIOError:
            self.kill()
            raise ReaderDied(f"killed: it did nothing for {IDLE_SECONDS} s") from None
        except (EOFError, OSError):
            self.end()
            raise ReaderDied(_described(self._child.returncode)) from None
        self._seconds = LONGEST_SECONDS
        if reply.error:
            raise reply.error
        return reply.value

    def _wait(self) -> None:
        """Until it begins to answer. Raises BlockingIOError if it hangs, and IndexUnavailable after its time."""
        deadline = time.monotonic() + self._seconds
        used = processor_seconds(self._child.pid)
        while not self._pipe.poll(IDLE_SECONDS):
            before, used = used, processor_seconds(self._child.pid)
            if used == before:
                raise BlockingIOError
            if time.monotonic() > deadline:
                self.kill()
                raise IndexUnavailable(f"the index has not answered a question within {self._seconds:.0f} s")

    @property
    def has_ended(self) -> bool:
        """Whether it was ended here: it can be asked nothing more."""
        return self._pipe.closed

    def hang_up(self) -> None:
        """Let it end by itself."""
        self._pipe.close()

    def end(self) -> None:
        """End it, by force where it does not end by itself. May be called again."""
        self.hang_up()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(_SECONDS_TO_END)
            return
        self.kill()

    def kill(self) -> None:
        """End it by force. One that waits for a disk that does not answer goes later: it is not waited for."""
        self.hang_up()
        self._child.kill()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(_SECONDS_TO_END)


def _limit_waiting(pipe: socket.socket) -> None:
    """A process that stops in the midst of a message holds up nobody: reading and writing raise BlockingIOError."""
    for direction in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        pipe.setsockopt(socket.SOL_SOCKET, direction, struct.pack("ll", IDLE_SECONDS, 0))


def _described(code: int | None) -> str:
    return f"signal {-code}" if code and code < 0 else f"exit code {code}"


def _command(pipe: int) -> Sequence[str]:
    return [sys.executable, "-P", "-m", "pipelines.index.embedded.reading_child", str(pipe)]
