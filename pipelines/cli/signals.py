"""Ends a command within ten seconds of SIGINT or SIGTERM, whatever it does at that moment.

First as Python has it: an exception in the main thread unwinds what is under way, so that leases are given back and
runs are recorded as cancelled. What does not unwind (a library that waits for a thread of its own, one that is at work
below Python) is not waited for: after some seconds a thread gives the leases back and ends the process. Nothing is
lost by that, as nothing is by kill -9.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
LINES = {signal.SIGINT: "interrupted", signal.SIGTERM: "ended by SIGTERM"}
SECONDS_TO_UNWIND = 6.0
"""uvicorn, which stops answering in an orderly way, takes up to four of them."""
_SECONDS_FOR_LEASES = 2.0


class Interrupted(BaseException):
    """The process is to end. No Exception, which whoever isolates trouble would catch."""


class StopSignals:
    """The first of these signals that came."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._unwinding = False
        self._reading, self._writing = socket.socketpair()
        self._writing.setblocking(False)

    def raise_interrupted(self, signum: int, _frame: FrameType | None) -> None:
        """Handler of the main thread, unless Dagster, the worker or uvicorn has put its own in this one's place."""
        with suppress(OSError):
            self._writing.send(bytes([signum]))  # as the interpreter itself does, where no event loop keeps it from it
        self._receive(signum)
        if not self._unwinding:  # a second Ctrl-C would break off what gives the leases back
            self._unwinding = True
            raise Interrupted

    def _receive(self, signum: int) -> None:
        self.received = self.received or signal.Signals(signum)
        # What is unwound says so, some of it with its traceback: in the log, and in threads of its own.
        logging.disable()
        threading.excepthook = lambda _: None
        sys.unraisablehook = lambda _: None

    def watch(self) -> None:
        """Wait for a signal, and end the process if it is still there some seconds later.

        A handler would not run while the main thread is below Python: the interpreter itself writes to the socket.
        """
        while (told := self._reading.recv(1)) and told[0] not in CODES:
            pass
        if told:  # the socket stays open, since a second signal is written to it, too
            self._receive(told[0])
            threading.Event().wait(SECONDS_TO_UNWIND)
            self.end()
        self._reading.close()

    def end(self) -> None:
        """End the process at once, with a line that says why, and its leases given back."""
        from pipelines.logs import as_line

        assert self.received  # noqa: S101  the caller's promise
        self._unwinding = True
        releasing = threading.Thread(target=_release_leases, daemon=True)
        releasing.start()
        releasing.join(_SECONDS_FOR_LEASES)
        _end_children()
        # In one piece: `print` writes the end of the line by itself, and another thread may be logging.
        sys.stderr.write(as_line(LINES[self.received], logging.INFO) + "\n")
        sys.stderr.flush()
        sys.stdout.flush()
        os._exit(CODES[self.received])  # what waits for its threads at exit would wait for ever

    @contextmanager
    def installed(self) -> Iterator[None]:
        """End the process where a signal came, also where a worker or server has ended well: it was told to."""
        try:  # a signal may come from the first handler on
            before = {signum: signal.signal(signum, self.raise_interrupted) for signum in CODES}
            wakeup = signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
            threading.Thread(target=self.watch, name="signals", daemon=True).start()
            try:
                yield
            finally:
                if not self.received:
                    self._restore(before, wakeup)
        finally:
            if self.received:
                self.end()

    def _restore(self, handlers: dict[signal.Signals, Any], wakeup: int) -> None:
        signal.set_wakeup_fd(wakeup)
        for signum, handler in handlers.items():
            signal.signal(signum, handler)
        self._writing.close()


def _release_leases() -> None:
    # Not imported here: where that was broken off, there are no leases, and modules in C that were half imported (such
    # as decimal) complain at the second time.
    leases = sys.modules.get("pipelines.catalog.leases")
    with suppress(Exception):  # a catalog that is away: they expire
        if leases:
            leases.release_leases()


def _end_children() -> None:
    """Such as the emulated sources of the demo."""
    import psutil

    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            child.terminate()
