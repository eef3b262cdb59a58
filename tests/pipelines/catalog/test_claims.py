"""Workers share what waits."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from pipelines.catalog import Catalog, tables
from pipelines.catalog.claims import Claim

UNITS: list[Claim] = [("acme", f"u{number}") for number in range(4)]


def test_each_of_two_workers_has_half_of_what_waits(open_catalogs: Callable[[], Catalog]) -> None:
    one, two = open_catalogs(), open_catalogs()
    for worker in (one, two):
        worker.claims.renew()
    assert one.claims.take(UNITS) == set(UNITS[:2])
    assert two.claims.take(UNITS) == set(UNITS[2:])
    assert one.claims.take(UNITS) == set(UNITS[:2])
    one.claims.give_back(UNITS[:1])
    assert two.claims.take(UNITS) == {UNITS[0], *UNITS[2:]}


def test_a_worker_alone_has_all_of_it(open_catalogs: Callable[[], Catalog]) -> None:
    one, two = open_catalogs(), open_catalogs()
    two.claims.renew()
    assert one.claims.workers() == {two.claims._process.id}
    two.claims.leave()
    assert one.claims.take(UNITS) == set(UNITS)
    assert one.claims.take([]) == set()


def test_what_a_dead_worker_was_at_is_anyones(open_catalogs: Callable[[], Catalog]) -> None:
    dead, one = open_catalogs(), open_catalogs()
    assert dead.claims.take(UNITS) == set(UNITS)
    assert one.claims.take(UNITS) == set()
    dead.claims._process._life.release()  # as the operating system does
    assert one.claims.take(UNITS) == set(UNITS)


def test_a_claim_keeps_nobody_from_the_unit(open_catalogs: Callable[[], Catalog]) -> None:
    one, two = open_catalogs(), open_catalogs()
    one.claims.take(UNITS)
    with two.leases.hold(*UNITS[0]):
        assert two.workload.leases().held == 1
    with two.leases.hold_all():
        pass
    one.claims.leave()
    with one._engine.connect() as transaction:
        assert transaction.execute(select(tables.leases)).all() == []
