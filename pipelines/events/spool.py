"""The spool: verified deliveries on this machine's disk while the catalog is away.

Some sources, GitHub among them, deliver an event once. So what is verified is written down here and answered, and goes
to the catalog in its order when that is back. Deliveries that come twice are found there, by their id.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from connectors.webhooks import Event, Invalidation
from pipelines.errors import CatalogUnavailable

logger = logging.getLogger(__name__)

MOST_DELIVERIES = 10_000
MOST_BYTES = 256 * 1024 * 1024
"""Of all bodies together. What comes beyond is refused: the disk is not the spool's alone."""
SECONDS_BETWEEN_TRIES = 1.0

_DELIVERIES_AT_ONCE = 100
_COLUMNS = "id INTEGER PRIMARY KEY AUTOINCREMENT, connection TEXT, event TEXT, body BLOB"
_FILLED = "SELECT COUNT(*), COALESCE(SUM(LENGTH(body)), 0) FROM deliveries"

Store = Callable[[str, Event, bytes], object]
"""Puts a delivery where the spool was a stand-in for: the connection's id, the event and its body."""


class Spool:
    """SQLite is what writes it: durable when a delivery is added, and shared by the servers of one machine."""

    def __init__(self, state: Path) -> None:
        self._file = state / "spool" / "deliveries.db"
        self.is_waiting = self._file.exists()
        """Whether there may be deliveries that are not in the catalog: what comes then waits behind them."""
        self._lock = threading.Lock()

    def add(self, connection: str, event: Event, body: bytes) -> None:
        """Keep a delivery, on disk when this returns. Raises CatalogUnavailable where there is no room."""
        self.is_waiting = True
        try:
            with self._opened() as spool, spool:
                count, size = spool.execute(
                    "SELECT COUNT(*), COALESCE(SUM(LENGTH(body)), 0) FROM deliveries"
                ).fetchone()
                if count >= MOST_DELIVERIES or size + len(body) > MOST_BYTES:
                    raise CatalogUnavailable(f"no answer, and {count} deliveries wait for it already")
                row = (connection, json.dumps(asdict(event)), body)
                spool.execute("INSERT INTO deliveries (connection, event, body) VALUES (?, ?, ?)", row)
        except sqlite3.Error as error:
            raise CatalogUnavailable(f"no answer, and a delivery cannot be kept in {self._file}: {error}") from error

    def drain(self, store: Store) -> int:
        """Hand on what waits, the oldest first; returns how many there were. What raises stays, with all behind it."""
        handed_on = 0
        with self._opened() as spool:
            while rows := self._read_oldest(spool):
                for number, connection, event, body in rows:
                    store(connection, _event(json.loads(event)), body)
                    with spool:
                        spool.execute("DELETE FROM deliveries WHERE id = ?", (number,))
                    handed_on += 1
        return handed_on

    def _read_oldest(self, spool: sqlite3.Connection) -> list[tuple[int, str, str, bytes]]:
        with self._lock:  # nothing is added between the look and what it means
            rows = spool.execute(f"SELECT * FROM deliveries ORDER BY id LIMIT {_DELIVERIES_AT_ONCE}").fetchall()
            self.is_waiting = bool(rows)
            return rows

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._file, timeout=10)) as spool:
            # EXTRA: with less, a power cut may bring back the journal, and with it the state before the commit.
            spool.executescript("PRAGMA synchronous=EXTRA; PRAGMA secure_delete=ON")
            spool.execute(f"CREATE TABLE IF NOT EXISTS deliveries ({_COLUMNS})")
            yield spool


@contextmanager
def draining(spool: Spool, store: Store) -> Iterator[None]:
    """Hand on what waits, in a thread of its own, as soon as the catalog takes it."""
    ended = threading.Event()
    thread = threading.Thread(target=_drain_until, args=(spool, store, ended), name="spool", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _drain_until(spool: Spool, store: Store, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            if spool.is_waiting and (count := spool.drain(store)):
                logger.info("%d deliveries that came while the catalog was away are in the inbox", count)
        except CatalogUnavailable:
            pass  # it is still away
        except Exception:
            logger.exception("deliveries in the spool wait for the next try")
        ended.wait(SECONDS_BETWEEN_TRIES)


def _event(kept: dict[str, Any]) -> Event:
    return Event(**{**kept, "invalidations": tuple(Invalidation(**one) for one in kept["invalidations"])})
