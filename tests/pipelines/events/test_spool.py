"""The spool: in its order, bounded, and shared by several servers."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from connectors.webhooks import Event, Invalidation
from pipelines.errors import CatalogUnavailable
from pipelines.events.spool import Spool


class Away:
    """Takes deliveries until it is away."""

    def __init__(self, takes: int) -> None:
        self.left = takes
        self.taken: list[tuple[str, Event, bytes]] = []

    def store(self, connection: str, event: Event, body: bytes) -> None:
        if not self.left:
            raise CatalogUnavailable("away")
        self.left -= 1
        self.taken.append((connection, event, body))


def event(number: int) -> Event:
    changed = Invalidation("document", "unit", f"github:acme/{number}", withdraws=True)
    return Event(str(number), "issues", (changed,), answer={"ok": True}, signed_content="hash")


def test_what_waits_is_handed_on_once_and_in_its_order(tmp_path: Path) -> None:
    spool, other = Spool(tmp_path), Spool(tmp_path)
    assert not spool.is_waiting
    for number in range(250):
        (spool, other)[number % 2].add("acme", event(number), b"body")
    expected = [("acme", event(number), b"body") for number in range(250)]
    away = Away(takes=120)
    with pytest.raises(CatalogUnavailable):
        spool.drain(away.store)
    assert (away.taken, spool.is_waiting, Spool(tmp_path).is_waiting) == (expected[:120], True, True)
    back = Away(takes=1_000)
    assert spool.drain(back.store) == 130
    assert (back.taken, spool.is_waiting, spool.drain(back.store)) == (expected[120:], False, 0)


def test_it_is_bounded_by_count_and_by_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    monkeypatch.setattr("pipelines.events.spool.MOST_BYTES", 10)
    spool.add("acme", event(1), b"12345")
    with pytest.raises(CatalogUnavailable, match="1 deliveries wait"):
        spool.add("acme", event(2), b"123456")
    monkeypatch.setattr("pipelines.events.spool.MOST_DELIVERIES", 2)
    spool.add("acme", event(3), b"")
    with pytest.raises(CatalogUnavailable, match="2 deliveries wait"):
        spool.add("acme", event(4), b"")
    back = Away(takes=9)
    spool.drain(back.store)
    assert [one.id for _, one, _ in back.taken] == ["1", "3"]


def test_a_disk_that_takes_nothing_is_told_as_the_catalog_being_away(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add("acme", event(1), b"")
    with sqlite3.connect(tmp_path / "spool" / "deliveries.db") as broken:
        broken.execute("DROP TABLE deliveries")
        broken.execute("CREATE TABLE deliveries (id INTEGER)")
    broken.close()
    with pytest.raises(CatalogUnavailable, match=r"deliveries\.db"):
        spool.add("acme", event(2), b"")
