"""Keeps the leases of this process: one thread renews all of them at once, however many there are."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection

from sqlalchemy import Engine, delete, select, update

from pipelines.catalog import tables
from pipelines.catalog.fencing import Lease
from pipelines.catalog.lease_rows import LEASE, LeaseRows
from pipelines.catalog.statements import in_parts
from pipelines.errors import CatalogUnavailable

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_ATTEMPTS = 1.0
"""To renew or release leases while the catalog does not answer."""
_SECONDS_FOR_RELEASE = 2.0


class LeaseKeeper:
    def __init__(self, engine: Engine, rows: LeaseRows) -> None:
        self._engine = engine
        self._rows = rows
        self._changing = threading.Lock()
        self._kept: dict[int, Lease] = {}  # by token
        self._is_renewing = False

    def keep(self, lease: Lease) -> None:
        """Renew a lease from now on."""
        with self._changing:
            self._kept[lease.token] = lease
            if not self._is_renewing:
                self._is_renewing = True
                threading.Thread(target=self._renew_while_any, name="leases", daemon=True).start()

    def release(self, lease: Lease) -> None:
        """Give a lease back, unless it is another's. While the catalog is away this goes on beside the caller."""
        with self._changing:
            if self._kept.pop(lease.token, None) is None:
                return
        releasing = threading.Thread(target=self._release, args=(lease,), name="lease", daemon=True)
        releasing.start()
        releasing.join(_SECONDS_FOR_RELEASE)

    def _renew_while_any(self) -> None:
        pause, waiting = LEASE.total_seconds() / 5, threading.Event()
        while not waiting.wait(pause):
            with self._changing:
                kept = dict(self._kept)
                self._is_renewing = bool(kept)
            if not kept:
                return
            try:
                self._note_lost(kept.keys() - self._renew(kept))
                pause = LEASE.total_seconds() / 5
            except CatalogUnavailable as error:
                logger.warning("%d leases are not renewed for now: %s", len(kept), error)
                pause = SECONDS_BETWEEN_ATTEMPTS

    def _renew(self, tokens: Collection[int]) -> set[int]:
        """Those that are still this process's. One whose time is over, and that nobody has taken, is."""
        table, renewed = tables.leases, set[int]()
        with self._engine.begin() as transaction:
            for part in in_parts(sorted(tokens)):
                # A commit under several leases locks them in the order in which they were taken, too.
                own = select(table.c.token).where(table.c.token.in_(part)).order_by(table.c.token).with_for_update()
                found = transaction.execute(own).scalars().all()
                transaction.execute(
                    update(table).where(table.c.token.in_(found)).values(expires_at=self._rows.expiry())
                )
                renewed.update(found)
        return renewed

    def _note_lost(self, tokens: Collection[int]) -> None:
        for token in tokens:
            with self._changing:
                lease = self._kept.pop(token, None)
            if lease:  # else it was released meanwhile
                lease.lost = True
                logger.error("%s/%s: another process has taken the lease", lease.connection, lease.unit)

    def _release(self, lease: Lease) -> None:
        """As long as this process lives, nobody else would take what it could not give back."""
        waiting = threading.Event()
        while True:
            try:
                with self._engine.begin() as transaction:
                    transaction.execute(delete(tables.leases).where(*lease.own_row))
            except CatalogUnavailable:
                waiting.wait(SECONDS_BETWEEN_ATTEMPTS)
            else:
                return
