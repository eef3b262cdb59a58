"""Whoever waits for events is told of them, by whichever process they are stored."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from connectors.webhooks import Event, Invalidation
from pipelines.catalog import Catalog
from pipelines.catalog import arrivals as arrivals_module

PATIENCE = 10.0


def test_an_event_is_told_to_all_that_wait(open_catalogs: Callable[[], Catalog]) -> None:
    waiting, storing = open_catalogs(), open_catalogs()
    signals = [threading.Event(), threading.Event()]
    with waiting.arrivals.listen(*signals):
        for delivery in ("first", "second", "third"):
            hear(storing, signals, delivery)


def test_the_file_of_sqlite_does_not_grow_for_ever(
    open_catalogs: Callable[[], Catalog], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals_module, "_MOST_BYTES", 3)
    catalog = open_catalogs()
    for number in range(9):
        store(catalog, f"d{number}")
    file = catalog.arrivals._file
    assert not file.exists() or file.stat().st_size <= 3


def hear(catalog: Catalog, signals: list[threading.Event], delivery: str) -> None:
    for one in signals:
        one.clear()
    store(catalog, delivery)
    for one in signals:
        assert one.wait(PATIENCE)


def store(catalog: Catalog, delivery: str) -> None:
    assert catalog.events.store("acme", Event(delivery, "edited", (Invalidation("document", "u", "d"),)), b"{}")
