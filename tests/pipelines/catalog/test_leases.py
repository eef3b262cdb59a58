"""Leases: who may work on a unit, who is dead, and what a process may still write that has lost its lease."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest
from pydantic import SecretStr
from sqlalchemy import Row, event, select, update

from connectors.model import Unit
from pipelines.catalog import Catalog, Outcome, open_catalog, tables
from pipelines.catalog.fencing import require_leases
from pipelines.errors import CatalogUnavailable, LeaseLost, UnitBusy
from pipelines.settings import CatalogSettings, Settings
from tests.emulators.postgres import PostgresServer

T = TypeVar("T")

HOLDER = """
import sys, time
from pathlib import Path
from pydantic import SecretStr
from pipelines.catalog import open_catalog
from pipelines.settings import CatalogSettings, Settings

settings = Settings(directory=Path(sys.argv[1]), catalog=CatalogSettings(url=SecretStr(sys.argv[2])))
with open_catalog(settings) as catalog, catalog.leases.hold("acme", "a"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def other(catalog_settings: Settings, catalog: Catalog) -> Iterator[Catalog]:
    """The catalog as another process opens it, on another machine of the same host name."""
    with open_catalog(catalog_settings) as opened:
        opened.leases._process.machine = "another"
        yield opened


@contextmanager
def holding_process(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """A process of this machine that works on acme/a, for ever."""
    arguments = [str(settings.directory), settings.catalog.url.get_secret_value()]
    process = subprocess.Popen([sys.executable, "-c", HOLDER, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def leases(catalog: Catalog) -> list[Row[Any]]:
    with catalog._engine.connect() as transaction:
        return list(transaction.execute(select(tables.leases)))


def set_expiry(catalog: Catalog, expires_at: datetime) -> None:
    with catalog._engine.begin() as transaction:
        transaction.execute(update(tables.leases).values(expires_at=expires_at))


def in_another_thread(work: Callable[[], T]) -> T:
    """A process's leases are those of the thread that works under them."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def is_free(catalog: Catalog, unit: str = "a") -> bool:
    def take() -> bool:
        with catalog.leases.hold("acme", unit):
            return True

    try:
        return in_another_thread(take)
    except UnitBusy:
        return False


def take_over(catalog: Catalog) -> None:
    """Let the lease of acme/a expire, and take it for another process."""
    own = catalog.leases._process
    taken = {"token": 1_000, "process": own.id, "machine": own.machine}

    def update_row() -> None:
        with catalog._engine.begin() as transaction:
            transaction.execute(update(tables.leases).where(tables.leases.c.unit == "a").values(taken))

    in_another_thread(update_row)


def until(so: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if so():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it took too long")


def test_one_process_works_on_a_unit(catalog: Catalog, other: Catalog) -> None:
    with catalog.leases.hold("acme", "a"):
        for asking in (catalog, other):
            with pytest.raises(UnitBusy, match=r"acme/a: .*, by \S+ process \d+ since \d{4}-"):
                in_another_thread(asking.leases.hold("acme", "a").__enter__)
        assert is_free(other, "b")
    assert is_free(other)
    assert leases(catalog) == []


def test_a_run_keeps_nobody_from_units(catalog: Catalog) -> None:
    leases = catalog.leases
    assert leases.is_run_alive("r") is None
    with leases.hold_run("r"):
        assert leases.is_run_alive("r")
        with leases.hold("acme", "a"):
            pass
        with leases.hold_all():
            pass
        leases.forget_run("r")
        assert leases.is_run_alive("r"), "only what a dead run has left is removed"
    assert leases.is_run_alive("r") is None


@pytest.mark.parametrize(("left", "free"), [(timedelta(hours=1), False), (-timedelta(hours=1), True)])
def test_on_another_machine_time_tells_who_is_dead(
    catalog: Catalog, other: Catalog, left: timedelta, free: bool
) -> None:
    with catalog.leases.hold("acme", "a"):
        set_expiry(catalog, datetime.now(UTC) + left)
        assert is_free(other) is free


def test_a_process_of_this_machine_is_dead_when_it_has_ended_whatever_the_clock_says(
    catalog: Catalog, catalog_settings: Settings
) -> None:
    with holding_process(catalog_settings) as process:
        set_expiry(catalog, datetime.now(UTC) - timedelta(hours=1))  # as if the clock had jumped
        assert not is_free(catalog)
        set_expiry(catalog, datetime.now(UTC) + timedelta(hours=1))
        process.kill()
        process.wait()
        assert is_free(catalog)
    assert [file.stem for file in (catalog_settings.state_path / "processes").iterdir()] == [catalog.leases._process.id]


def test_a_clock_that_is_wrong_takes_no_living_lease(
    postgres_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of the machine on which a process runs; the database's is one for all."""

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Self:
            return super().now(tz) + timedelta(minutes=10)

    def opened(machine: str) -> Catalog:
        place = tmp_path / machine
        return open_catalog(Settings(directory=place, catalog=CatalogSettings(url=SecretStr(postgres_database))))

    with opened("one") as one, opened("two") as two, one.leases.hold("acme", "a"):
        monkeypatch.setattr("pipelines.catalog.lease_rows.datetime", Ahead)
        assert not is_free(two)


def test_what_a_stale_holder_writes_is_refused(catalog: Catalog, other: Catalog) -> None:
    def write(at: str) -> None:
        catalog.units.set_cursor("acme", "a", {"at": at})

    with catalog.leases.hold("acme", "a"):
        write("own")
        take_over(other)
        with pytest.raises(LeaseLost):
            write("stale")
        with pytest.raises(LeaseLost):
            catalog.leases.refuse_stale()
        with pytest.raises(LeaseLost):
            require_leases()
        in_another_thread(lambda: write("by whoever needs no lease"))
        with pytest.raises(LeaseLost):
            write("stale")
    state = catalog.units.get("acme", "a")
    assert state
    assert state.cursor == {"at": "by whoever needs no lease"}


@pytest.mark.parametrize("noticed", [True, False])
def test_whoever_has_lost_a_lease_gives_back_nobody_elses(
    catalog: Catalog, other: Catalog, monkeypatch: pytest.MonkeyPatch, noticed: bool
) -> None:
    if noticed:
        monkeypatch.setattr("pipelines.catalog.lease_keeper.LEASE", timedelta(milliseconds=100))
    first = catalog.leases.hold("acme", "a")
    first.__enter__()
    take_over(other)
    before = leases(catalog)
    if noticed:
        until(lambda: _is_refused(require_leases))  # by its renewal
    first.__exit__(None, None, None)
    assert leases(catalog) == before


def _is_refused(work: Callable[[], None]) -> bool:
    try:
        work()
    except LeaseLost:
        return True
    return False


def test_all_leases_of_a_process_are_renewed_at_once(
    catalog: Catalog, other: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many units a worker is at, it asks the catalog once; what it has lost meanwhile is not renewed."""
    monkeypatch.setattr("pipelines.catalog.lease_keeper.LEASE", timedelta(seconds=2))
    commits: list[str] = []
    with ExitStack() as holding:
        for unit in ("a", *map(str, range(20))):
            holding.enter_context(catalog.leases.hold("acme", unit))
        before = {row.unit: row.expires_at for row in leases(catalog)}
        event.listen(catalog._engine, "commit", lambda _: commits.append(threading.current_thread().name))
        until(lambda: all(row.expires_at > before[row.unit] for row in leases(catalog)))
        assert 1 <= commits.count("leases") < 21
        take_over(other)
        until(lambda: _is_refused(require_leases))
    assert [row.unit for row in leases(catalog)] == ["a"]


def test_a_lease_outlives_a_database_that_is_away(
    postgres_server: PostgresServer, postgres_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.catalog.lease_keeper.LEASE", timedelta(seconds=2))
    monkeypatch.setattr("pipelines.catalog.lease_keeper.SECONDS_BETWEEN_ATTEMPTS", 0.1)
    settings = Settings(directory=tmp_path, catalog=CatalogSettings(url=SecretStr(postgres_database)))
    with open_catalog(settings) as catalog:
        catalog.units.replace_listing("acme", "github", [Unit("a", "A")])
        with catalog.leases.hold("acme", "a"):
            before = leases(catalog)[0].expires_at
            postgres_server.stop()
            try:
                with pytest.raises(CatalogUnavailable):
                    catalog.units.set_cursor("acme", "a", {"at": "away"})
                threading.Event().wait(1)  # a renewal fails
            finally:
                postgres_server.start()
            until(lambda: leases(catalog)[0].expires_at > before + timedelta(seconds=2))
            catalog.units.set_cursor("acme", "a", {"at": "back"})
            postgres_server.stop()
        postgres_server.start()
        until(lambda: leases(catalog) == [])  # it is given back although that could not be done at once


def test_work_has_stalled_that_is_held_and_has_kept_nothing_for_an_hour(catalog: Catalog) -> None:
    now, hour = datetime.now(UTC), timedelta(hours=1, minutes=1)
    with catalog.leases.hold("acme", "a"), catalog.leases.hold_run("b6f3"):
        assert catalog.workload.stalled() == []
        (stalled,) = catalog.workload.stalled(now + hour)
        assert (stalled.connection, stalled.unit) == ("acme", "a")
        assert stalled.since == next(row.since for row in leases(catalog) if row.unit == "a")
        with catalog._engine.begin() as transaction:  # a lease of long ago, of a unit of which something is kept now
            transaction.execute(update(tables.leases).values(since=now - 3 * hour))
        assert [one.since for one in catalog.workload.stalled()] == [now - 3 * hour]
        outcome = Outcome(id="a/1", status="indexed", title="a/1")
        catalog.commit_read(
            "acme", "a", [outcome], documents_path=None, unchanged=(), fingerprints={}, listing=None, cursor=None
        )
        assert catalog.workload.stalled() == []
    with catalog._engine.begin() as transaction:
        transaction.execute(update(tables.documents).values(changed_at=now - 3 * hour))
    assert catalog.workload.stalled() == [], "nobody holds it"
