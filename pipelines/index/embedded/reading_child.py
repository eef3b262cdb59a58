"""A child process that answers questions to the published index, one after the other, until its parent is gone."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Self

from pipelines.errors import HeadraceError
from pipelines.index.embedded.reader import EdgeReader
from pipelines.index.embedded.reading_protocol import Opening, ReaderCall, ReaderReply


def main() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM):  # which a terminal or supervisor sends to all: the parent decides
        signal.signal(ignored, signal.SIG_IGN)
    with suppress(EOFError, OSError), Connection(int(sys.argv[1])) as parent, _Answering(parent.recv()) as answering:
        while True:
            parent.send(answering.answer(parent.recv()))


class _Answering:
    """Opens the reader with the first question: an index that cannot be read is that question's error."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._reader: EdgeReader | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing of the copy that was read."""
        if self._reader:
            self._reader.close()

    def answer(self, call: ReaderCall) -> ReaderReply:
        try:
            self._reader = self._reader or EdgeReader(*self._opening)
            return ReaderReply(getattr(self._reader, call.method)(**call.arguments))
        except HeadraceError as error:
            return ReaderReply(error=error)


if __name__ == "__main__":
    main()
