"""Pace: at once at first, and later when the events have calmed down."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.events.debounce import APART, QUIET, RECENT, Pace


@pytest.mark.parametrize(
    ("burst", "looked_at", "first", "last", "now", "is_ready"),
    [
        (True, None, 100, 100, 100, True),
        (True, 100 - RECENT, 100, 100, 100, True),
        (True, 99, 100, 100, 100, False),
        (True, 99, 100, 100, 100 + QUIET, True),
        (True, 99, 100, 102, 103, False),
        (True, 99, 100, 100 + QUIET, 100 + RECENT - 1, True),
        (True, 99, 100, 113, 100 + RECENT, True),
        (False, None, 100, 100, 100, True),
        (False, 99, 100, 100, 100, False),
        (False, 99, 100, 101, 99 + APART, True),
    ],
)
def test_when_an_object_is_looked_at(burst, looked_at, first, last, now, is_ready):
    pace = Pace()
    if looked_at is not None:
        pace.looked_at("object", looked_at)
    assert pace.is_ready("object", first=first, last=last, now=now, burst=burst) is is_ready


@given(st.lists(st.floats(min_value=0, max_value=10), min_size=1, max_size=40))
def test_a_burst_of_ten_seconds_is_looked_at_twice_at_most(arrivals):
    pace, looks, waiting = Pace(), 0, []
    arrivals = sorted(arrivals)
    for tick in range(300):
        now = tick / 10
        waiting += [at for at in arrivals if now - 0.1 < at <= now]
        # The gaps between events of one burst are shorter than what counts as quiet, or they are two bursts.
        if waiting and pace.is_ready("object", first=waiting[0], last=waiting[-1], now=now, burst=True):
            pace.looked_at("object", now)
            looks, waiting = looks + 1, []
    gaps = sum(after - before >= QUIET for before, after in pairwise(arrivals))
    assert 1 <= looks <= 2 + gaps
    assert not waiting


def test_it_forgets_what_is_long_ago():
    pace = Pace()
    for number in range(10_001):
        pace.looked_at(number, 0 if number < 9_000 else 100)
    assert pace.is_ready(1, first=101, last=101, now=101, burst=True)
    assert not pace.is_ready(9_500, first=101, last=101, now=101, burst=True)
