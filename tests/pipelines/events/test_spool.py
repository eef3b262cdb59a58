"""The spool: in its order, bounded, and shared by several servers."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from connectors.webhooks import Event, Invalidation
from pipelines.errors import CatalogUnavailable
from pipelines.events.spool import Spool, draining
from tests.damaged_files import cut_short


class Away:
    """Takes deliveries until it is away."""

    def __init__(self, takes: int) -> None:
        self.left = takes
        self.taken: list[tuple[str, Event, bytes]] = []
        self.unreadable: list[tuple[str, bytes, str]] = []

    def store(self, connection: str, event: Event, body: bytes) -> None:
        if not self.left:
            raise CatalogUnavailable("away")
        self.left -= 1
        self.taken.append((connection, event, body))

    def store_unreadable(self, connection: str, delivery: str, body: bytes, reason: str) -> None:
        self.unreadable.append((connection, body, reason))


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
        spool.drain(away)
    assert (away.taken, spool.is_waiting, Spool(tmp_path).is_waiting) == (expected[:120], True, True)
    back = Away(takes=1_000)
    assert spool.drain(back) == 130
    assert (back.taken, spool.is_waiting, spool.drain(back)) == (expected[120:], False, 0)


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
    spool.drain(back)
    assert [one.id for _, one, _ in back.taken] == ["1", "3"]


def test_a_disk_that_takes_nothing_is_told_as_the_catalog_being_away(tmp_path: Path) -> None:
    (tmp_path / "spool").touch()
    spool = Spool(tmp_path)
    with pytest.raises(CatalogUnavailable, match=r"deliveries\.db"):
        spool.add("acme", event(2), b"")
    assert spool.is_failing


DAMAGE = {
    "no database": lambda file: file.write_bytes(b"\0" * 5_000),
    "cut off": cut_short,
    "another release's": lambda file: run(file, "ALTER TABLE deliveries RENAME body TO text"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_file_is_set_aside_and_deliveries_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], object]
) -> None:
    file = tmp_path / "spool" / "deliveries.db"
    for number in range(50):
        Spool(tmp_path).add("acme", event(number), b"x" * 2_000)
    damage(file)
    spool, inbox = Spool(tmp_path), Away(takes=9)
    spool.add("acme", event(99), b"")
    assert (spool.count(), spool.drain(inbox), spool.count(), spool.is_waiting) == (1, 1, 0, False)
    assert [one.id for _, one, _ in inbox.taken] == ["99"]
    assert len(list(file.parent.glob("damaged-*.db"))) == 1
    (line,) = caplog.messages
    assert "is damaged" in line
    assert "headrace reconcile" in line


@pytest.mark.parametrize("kept", ['{"id": "1", "kind": "issues", "newer": 1, "invalidations": []}', "{", "[]", "{}"])
def test_a_delivery_that_cannot_be_read_holds_up_no_other(tmp_path: Path, kept: str) -> None:
    spool = Spool(tmp_path)
    spool.add("acme", event(1), b"first")
    run(tmp_path / "spool" / "deliveries.db", "UPDATE deliveries SET event = ?", kept)
    spool.add("acme", event(2), b"second")
    inbox = Away(takes=9)
    assert spool.drain(inbox) == 2
    assert [one.id for _, one, _ in inbox.taken] == ["2"]
    ((connection, body, reason),) = inbox.unreadable
    assert (connection, body, "cannot be read" in reason) == ("acme", b"first", True)


def run(file: Path, statement: str, *values: str) -> None:
    with closing(sqlite3.connect(file)) as opened, opened:
        opened.execute(statement, values)


def test_a_server_hands_on_what_another_one_kept_and_left_behind(tmp_path: Path) -> None:
    other, own, inbox = Spool(tmp_path), Spool(tmp_path), Away(takes=10)
    with draining(own, inbox):
        other.add("acme", event(1), b"body")  # and it is not heard of again
        deadline = time.monotonic() + 20
        while not inbox.taken and time.monotonic() < deadline:
            time.sleep(0.05)
    assert inbox.taken == [("acme", event(1), b"body")]


def test_a_spool_that_was_emptied_is_not_waited_behind(tmp_path: Path) -> None:
    Spool(tmp_path).add("acme", event(1), b"body")
    Spool(tmp_path).drain(Away(takes=1))
    started = Spool(tmp_path)
    with draining(started, Away(takes=0)):
        deadline = time.monotonic() + 20
        while started.is_waiting and time.monotonic() < deadline:
            time.sleep(0.05)
    assert not started.is_waiting
