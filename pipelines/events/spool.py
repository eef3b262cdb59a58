"""The spool: verified deliveries on this machine's disk while the catalog is away.

Some sources, GitHub among them, deliver an event once. So what is verified is written down here and answered, and goes
to the catalog in its order when that is back. Deliveries that come twice are found there, by their id.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from sqlalchemy.exc import DataError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from connectors.webhooks import Event, Invalidation
from pipelines.errors import CatalogUnavailable
from pipelines.spool_files import set_aside, spool_file

logger = logging.getLogger(__name__)

MOST_DELIVERIES = 10_000
MOST_BYTES = 256 * 1024 * 1024
"""Of all bodies together. What comes beyond is refused: the disk is not the spool's alone."""
SECONDS_BETWEEN_TRIES = 1.0

_DELIVERIES_AT_ONCE = 100
_SECONDS_TO_END = 1.0
_COLUMNS = "id INTEGER PRIMARY KEY AUTOINCREMENT, connection TEXT, event TEXT, body BLOB"
_FILLED = "SELECT COUNT(*), COALESCE(SUM(LENGTH(body)), 0) FROM deliveries"

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""Not only broken: the last is a table of another release's."""


class Inbox(Protocol):
    """Where the spool was a stand-in for."""

    def store(self, connection: str, event: Event, body: bytes) -> object: ...

    def store_unreadable(self, connection: str, delivery: str, body: bytes, reason: str) -> None: ...


class Spool:
    """SQLite is what writes it: durable when a delivery is added, and shared by the servers of one machine."""

    def __init__(self, state: Path) -> None:
        self._file = spool_file(state)
        self.is_waiting = self._file.exists()
        """Whether there may be deliveries that are not in the catalog: what comes then waits behind them."""
        self.is_failing = False
        """Whether the last delivery could not be kept here either."""
        self._lock = threading.Lock()

    def add(self, connection: str, event: Event, body: bytes) -> None:
        """Keep a delivery, on disk when this returns. Raises CatalogUnavailable where there is no room."""
        self.is_waiting = self.is_failing = True
        try:
            with self._opened() as spool, self._lock, spool:
                self.is_waiting = True  # what was handed on meanwhile had not seen this one
                count, size = spool.execute(_FILLED).fetchone()
                if count >= MOST_DELIVERIES or size + len(body) > MOST_BYTES:
                    raise CatalogUnavailable(f"no answer, and {count} deliveries wait for it already")
                row = (connection, json.dumps(asdict(event)), body)
                spool.execute("INSERT INTO deliveries (connection, event, body) VALUES (?, ?, ?)", row)
        except (sqlite3.Error, OSError) as error:
            raise CatalogUnavailable(f"no answer, and a delivery cannot be kept in {self._file}: {error}") from error
        self.is_failing = False

    def count(self) -> float:
        """How many deliveries wait; NaN where the file cannot be read now."""
        if not self._file.exists():
            return 0
        try:
            with closing(sqlite3.connect(self._file, timeout=1)) as spool:
                return float(spool.execute("SELECT COUNT(*) FROM deliveries").fetchone()[0])
        except sqlite3.Error:
            return math.nan

    def drain(self, inbox: Inbox) -> int:
        """Hand on what waits, the oldest first; returns how many there were. What raises stays, with all behind it.

        One that this release cannot read is a dead letter of the inbox: those behind it do not wait for it.
        """
        handed_on = 0
        with self._opened() as spool:
            while rows := self._read_oldest(spool):
                for number, connection, event, body in rows:
                    _hand_on(inbox, connection, event, body)
                    with spool:
                        spool.execute("DELETE FROM deliveries WHERE id = ?", (number,))
                    handed_on += 1
        return handed_on

    def _read_oldest(self, spool: sqlite3.Connection) -> list[tuple[int, str, str, bytes]]:
        with self._lock:  # nothing is added between the look and what it means
            rows = spool.execute(f"SELECT * FROM deliveries ORDER BY id LIMIT {_DELIVERIES_AT_ONCE}").fetchall()
            self.is_waiting = bool(rows)
            self.is_failing = self.is_failing and self.is_waiting
            return rows

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            self._set_aside_if_damaged()
        with closing(sqlite3.connect(self._file, timeout=10)) as spool:
            # EXTRA: with less, a power cut may bring back the journal, and with it the state before the commit.
            spool.executescript("PRAGMA synchronous=EXTRA; PRAGMA secure_delete=ON")
            spool.execute(f"CREATE TABLE IF NOT EXISTS deliveries ({_COLUMNS})")
            yield spool

    def _set_aside_if_damaged(self) -> None:
        """A spool that cannot be read would refuse all deliveries to come."""
        if not self._file.exists():
            return
        try:
            with closing(sqlite3.connect(self._file, timeout=10)) as spool:
                for (name,) in spool.execute("SELECT name FROM sqlite_master WHERE name = 'deliveries'").fetchall():
                    spool.execute(f"SELECT id, connection, event, LENGTH(body) FROM {name}").fetchall()
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF not in _DAMAGED:
                raise
            kept = set_aside(self._file)
            with suppress(FileNotFoundError):
                self._file.with_name(f"{self._file.name}-journal").unlink()  # of the damaged file, not of the next
            advice = "`headrace reconcile` finds what deliveries that waited in it told of"
            logger.error("the spool %s is damaged (%s) and set aside as %s: %s", self._file, error, kept.name, advice)


def _hand_on(inbox: Inbox, connection: str, event: str, body: bytes) -> None:
    try:
        inbox.store(connection, _read_event(event), body)
    except (ValueError, TypeError, KeyError, DataError) as error:
        reason = f"as it was kept in the spool, perhaps by another release, it cannot be read: {error}"
        logger.error("%s: a delivery is a dead letter: %s", connection, reason)
        delivery = hashlib.sha256(str(event).encode() + body).hexdigest()
        inbox.store_unreadable(connection, delivery, body, reason)


def _read_event(kept: str) -> Event:
    """Raises ValueError, TypeError or KeyError."""
    found = json.loads(kept)
    return Event(**{**found, "invalidations": tuple(Invalidation(**one) for one in found["invalidations"])})


@contextmanager
def draining(spool: Spool, inbox: Inbox) -> Iterator[None]:
    """Hand on what waits, in a thread of its own, as soon as the catalog takes it."""
    ended = threading.Event()
    thread = threading.Thread(target=_drain_until, args=(spool, inbox, ended), name="spool", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_SECONDS_TO_END)  # one that waits for a database that hangs is not waited for


def _drain_until(spool: Spool, inbox: Inbox, ended: threading.Event) -> None:
    said = ""
    while not ended.is_set():
        try:
            # Also what another server of this machine has added, which may not come back.
            if (spool.is_waiting or spool.count()) and (count := spool.drain(inbox)):
                logger.info("%d deliveries that came while the catalog was away are in the inbox", count)
            said = ""
        except (CatalogUnavailable, PoolExhausted):
            pass  # it is still away
        except Exception as error:  # noqa: BLE001  the thread goes on, whatever it is
            if said != (said := f"{type(error).__name__}: {error}"):
                logger.error("deliveries in the spool wait for the next try: %s", said)
        ended.wait(SECONDS_BETWEEN_TRIES)
