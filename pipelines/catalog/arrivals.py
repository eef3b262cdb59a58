"""Wakes workers when an event is stored, so that they need not ask for one all the time.

PostgreSQL tells of it by NOTIFY; beside a SQLite file stands another, which each event changes. Neither is sure to be
heard (a pooler between takes no LISTEN, a connection breaks): who waits looks from time to time all the same.

https://www.postgresql.org/docs/current/sql-notify.html
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event as Signal

from sqlalchemy import Connection, Engine, func, select

logger = logging.getLogger(__name__)

_CHANNEL = "headrace_events"
_SECONDS_BETWEEN_STATS = 0.05
_SECONDS_PER_LISTEN = 1.0
_SECONDS_UNTIL_RECONNECT = 5.0
_MOST_BYTES = 1_000_000


class Arrivals:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._file = Path(f"{engine.url.database}-arrivals")

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction after which whoever listens looks."""
        with self._engine.begin() as transaction:
            yield transaction
            if not self._is_sqlite:
                transaction.execute(select(func.pg_notify(_CHANNEL, "")))
        if self._is_sqlite:
            self._touch()

    @contextmanager
    def listen(self, *signals: Signal) -> Iterator[None]:
        """Set all of these whenever something has come, as long as the context lasts."""
        stop = Signal()
        listen = partial(self._watch_file, seen=self._stat()) if self._is_sqlite else self._listen
        thread = threading.Thread(target=listen, args=(signals, stop), name="arrivals", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _touch(self) -> None:
        """A byte more: two changes within a tick of the file system's clock are seen as well."""
        with suppress(OSError):  # of a full disk, say: what was stored is stored
            file = os.open(self._file, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
            try:
                if os.fstat(file).st_size >= _MOST_BYTES:
                    os.ftruncate(file, 0)
                os.write(file, b".")
            finally:
                os.close(file)

    def _watch_file(self, signals: Sequence[Signal], stop: Signal, seen: tuple[int, int] | None) -> None:
        while not stop.wait(_SECONDS_BETWEEN_STATS):
            if (now := self._stat()) != seen:
                seen = now
                _set(signals)

    def _stat(self) -> tuple[int, int] | None:
        try:
            stat = self._file.stat()
        except OSError:
            return None
        return stat.st_size, stat.st_mtime_ns

    def _listen(self, signals: Sequence[Signal], stop: Signal) -> None:
        import psycopg

        while not stop.is_set():
            try:
                self._hear(signals, stop)
            except psycopg.Error as error:
                logger.info("events are looked for from time to time, since PostgreSQL tells of none: %s", error)
                stop.wait(_SECONDS_UNTIL_RECONNECT)

    def _hear(self, signals: Sequence[Signal], stop: Signal) -> None:
        """On a connection of its own: one that listens can do nothing else."""
        import psycopg

        from pipelines.catalog.bounded_connection import LOST_MACHINE

        _, options = self._engine.dialect.create_connect_args(self._engine.url)
        with psycopg.connect(**{**LOST_MACHINE, **options}, autocommit=True) as connection:
            connection.execute(f"LISTEN {_CHANNEL}")
            _set(signals)  # what came before it listened
            while not stop.is_set():
                for _ in connection.notifies(timeout=_SECONDS_PER_LISTEN, stop_after=1):
                    _set(signals)


def _set(signals: Sequence[Signal]) -> None:
    for one in signals:
        one.set()
