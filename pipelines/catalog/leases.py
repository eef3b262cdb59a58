"""One process at a time works on a unit, and a dead one loses its lease."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from pipelines.catalog import tables
from pipelines.errors import UnitBusy

LEASE = timedelta(seconds=75)
"""How long a holder on another machine is believed to be alive without a sign of life: a dead run is to be known as
dead within two minutes, and the sensor that looks takes 30 seconds of them."""

_ALL = ("*", "*")
"""Stands for all units; no connection has this id."""
_RUNS = "*runs*"
"""Stands before the ids of runs, which are no units and keep nobody from one."""


class Leases:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def hold(self, connection: str, unit: str) -> Iterator[None]:
        """Work on a unit alone. Raises UnitBusy if a living process holds it, or all units."""
        with self._hold(connection, unit):
            if (holder := self._living_holder(*_ALL)) and holder != _this_process():
                raise UnitBusy(f"{connection}/{unit}", holder)
            yield

    @contextmanager
    def hold_all(self) -> Iterator[None]:
        """Work on all units alone. Raises UnitBusy if a living process holds one of them."""
        with self._hold(*_ALL):
            with self._engine.connect() as transaction:
                leases = transaction.execute(select(tables.leases)).all()
            for lease in leases:
                beside_units = lease.connection in (_ALL[0], _RUNS)
                if not beside_units and not _is_dead(lease.holder, lease.expires_at):
                    raise UnitBusy(f"{lease.connection}/{lease.unit}", lease.holder)
            yield

    @contextmanager
    def hold_run(self, run: str) -> Iterator[None]:
        """Show that the process of a run is alive."""
        with self._hold(_RUNS, run):
            yield

    def is_run_alive(self, run: str) -> bool | None:
        """Whether the process that works on a run is alive; None if none has begun, or it has finished."""
        with self._engine.connect() as transaction:
            row = transaction.execute(select(tables.leases).where(*_of(_RUNS, run))).first()
        return None if row is None else not _is_dead(row.holder, row.expires_at)

    def forget_run(self, run: str) -> None:
        """Remove what a dead run has left."""
        self._remove_dead(_RUNS, run)

    @contextmanager
    def _hold(self, connection: str, unit: str) -> Iterator[None]:
        self._acquire(connection, unit)
        released = threading.Event()
        renewal = threading.Thread(target=self._renew, args=(connection, unit, released), daemon=True)
        renewal.start()
        try:
            yield
        finally:
            released.set()
            renewal.join()
            with self._engine.begin() as transaction:
                transaction.execute(delete(tables.leases).where(*_of(connection, unit)))

    def _acquire(self, connection: str, unit: str) -> None:
        lease = {"connection": connection, "unit": unit, "holder": _this_process(), "expires_at": _expiry()}
        for _ in range(2):
            try:
                with self._engine.begin() as transaction:
                    transaction.execute(insert(tables.leases).values(lease))
            except IntegrityError:
                self._remove_dead(connection, unit)
            else:
                return
        raise UnitBusy(f"{connection}/{unit}", self._holder(connection, unit))

    def _renew(self, connection: str, unit: str, released: threading.Event) -> None:
        while not released.wait(LEASE.total_seconds() / 5):
            with self._engine.begin() as transaction:
                transaction.execute(update(tables.leases).where(*_of(connection, unit)).values(expires_at=_expiry()))

    def _remove_dead(self, connection: str, unit: str) -> None:
        with self._engine.begin() as transaction:
            row = transaction.execute(select(tables.leases).where(*_of(connection, unit))).first()
            if row and _is_dead(row.holder, row.expires_at):
                # With the holder in the condition, a lease that another process has taken in the meantime stays.
                same = tables.leases.c.holder == row.holder
                transaction.execute(delete(tables.leases).where(*_of(connection, unit), same))

    def _living_holder(self, connection: str, unit: str) -> str | None:
        with self._engine.connect() as transaction:
            row = transaction.execute(select(tables.leases).where(*_of(connection, unit))).first()
        return row.holder if row and not _is_dead(row.holder, row.expires_at) else None

    def _holder(self, connection: str, unit: str) -> str:
        with self._engine.connect() as transaction:
            row = transaction.execute(select(tables.leases.c.holder).where(*_of(connection, unit))).first()
        return row.holder if row else "it has just finished"


def _of(connection: str, unit: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (tables.leases.c.connection == connection, tables.leases.c.unit == unit)


def _expiry() -> datetime:
    return datetime.now(UTC) + LEASE


def _this_process() -> str:
    """Host, process id and the process's start: ids are used again, starts are not."""
    import psutil

    return f"{socket.gethostname()} process {os.getpid()} of {psutil.Process().create_time():.2f}"


def _is_dead(holder: str, expires_at: datetime) -> bool:
    import psutil

    host, _, process, _, started = holder.rsplit(" ", 4)
    if host != socket.gethostname():
        return expires_at < datetime.now(UTC)
    try:
        difference: float = psutil.Process(int(process)).create_time() - float(started)
    except psutil.NoSuchProcess:
        return True
    return abs(difference) > 1
