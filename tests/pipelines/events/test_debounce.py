"""Debouncing: at once at first, and later when the events have calmed down."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.events.debounce import INTERVAL, MAX_WAIT, QUIET_PERIOD, Debouncer


@pytest.mark.parametrize(
    ("burst", "processed_at", "first", "last", "now", "is_due"),
    [
        (True, None, 100, 100, 100, True),
        (True, 100 - MAX_WAIT, 100, 100, 100, True),
        (True, 99, 100, 100, 100, False),
        (True, 99, 100, 100, 100 + QUIET_PERIOD, True),
        (True, 99, 100, 102, 103, False),
        (True, 99, 100, 100 + QUIET_PERIOD, 100 + MAX_WAIT - 1, True),
        (True, 99, 100, 113, 100 + MAX_WAIT, True),
        (False, None, 100, 100, 100, True),
        (False, 99, 100, 100, 100, False),
        (False, 99, 100, 101, 99 + INTERVAL, True),
        # The clock was set back.
        (False, 700, 100, 100, 101, True),
        (True, 700, 100, 100, 101, True),
        (True, 99, 700, 700, 100, True),
    ],
)
def test_when_an_object_is_due(
    burst: bool, processed_at: float | None, first: float, last: float, now: float, is_due: bool
) -> None:
    debouncer: Debouncer[str] = Debouncer()
    if processed_at is not None:
        debouncer.record("object", processed_at)
    assert debouncer.is_due("object", first=first, last=last, now=now, burst=burst) is is_due


@given(st.lists(st.floats(min_value=0, max_value=10), min_size=1, max_size=40))
def test_a_burst_of_ten_seconds_is_processed_twice_at_most(arrivals: list[float]) -> None:
    debouncer: Debouncer[str] = Debouncer()
    passes, waiting = 0, list[float]()
    arrivals = sorted(arrivals)
    for tick in range(300):
        now = tick / 10
        waiting += [at for at in arrivals if now - 0.1 < at <= now]
        # The gaps between events of one burst are shorter than what counts as quiet, or they are two bursts.
        if waiting and debouncer.is_due("object", first=waiting[0], last=waiting[-1], now=now, burst=True):
            debouncer.record("object", now)
            passes, waiting = passes + 1, []
    gaps = sum(after - before >= QUIET_PERIOD for before, after in pairwise(arrivals))
    assert 1 <= passes <= 2 + gaps
    assert not waiting


def test_it_forgets_what_is_long_ago() -> None:
    debouncer: Debouncer[int] = Debouncer()
    for number in range(10_001):
        debouncer.record(number, 0 if number < 9_000 else 100)
    assert debouncer.is_due(1, first=101, last=101, now=101, burst=True)
    assert not debouncer.is_due(9_500, first=101, last=101, now=101, burst=True)
