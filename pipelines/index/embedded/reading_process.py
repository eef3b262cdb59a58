"""A process that reads the published index, as its parent sees it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import Pipe
from typing import Any

from pipelines.child_environment import child_environment
from pipelines.index.embedded.reading_protocol import Opening, ReaderCall, ReaderReply

_SECONDS_TO_END = 2.0


class ReaderDied(Exception):
    """The process has ended by itself; `how` is for people."""

    def __init__(self, code: int | None) -> None:
        self.how = f"signal {-code}" if code and code < 0 else f"exit code {code}"
        super().__init__(self.how)


class ReadingProcess:
    """One child; it starts while the caller goes on. Used by one thread at a time. Ends when it is garbage: its pipe is
    closed then."""

    def __init__(self, opening: Opening) -> None:
        self._pipe, theirs = Pipe()
        with theirs:
            # No multiprocessing: it would run the main module of this process once more.
            self._child = subprocess.Popen(
                _command(theirs.fileno()), pass_fds=[theirs.fileno()], env=child_environment()
            )
        with suppress(OSError):  # it has ended already, which the first question finds
            self._pipe.send(opening)

    def ask(self, call: ReaderCall) -> Any:
        """What the reader has returned. Raises as it does, and ReaderDied."""
        try:
            self._pipe.send(call)
            reply: ReaderReply = self._pipe.recv()
        except (EOFError, OSError):
            self.end()
            raise ReaderDied(self._child.returncode) from None
        if reply.error:
            raise reply.error
        return reply.value

    def hang_up(self) -> None:
        """Let it end by itself."""
        self._pipe.close()

    def end(self) -> None:
        """End it, by force where it does not end by itself. May be called again."""
        self.hang_up()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(_SECONDS_TO_END)
            return
        self._child.kill()
        self._child.wait()


def _command(pipe: int) -> Sequence[str]:
    return [sys.executable, "-P", "-m", "pipelines.index.embedded.reading_child", str(pipe)]
