"""A series for each unit of a small connection, and in a large one for a few that are late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipelines.metrics.unit_ages import MOST_UNITS, UnitAges, select_ages

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def read_before(**hours: float | None) -> dict[str, datetime | None]:
    return {unit: None if ago is None else NOW - timedelta(hours=ago) for unit, ago in hours.items()}


def test_all_units_of_a_small_connection_are_shown() -> None:
    found = select_ages(read_before(a=1, b=3, c=None), NOW, allowed=7_200)
    assert found == UnitAges(total=3, late=1, unread=1, seconds={"b": 10_800, "a": 3_600})


def test_a_large_connection_that_is_in_time_has_none() -> None:
    found = select_ages(read_before(**{f"u{number}": 1 for number in range(5_000)}), NOW, allowed=7_200)
    assert found == UnitAges(total=5_000, late=0, unread=0, seconds={})


def test_of_a_large_one_that_is_late_those_are_shown_that_are_late_longest() -> None:
    found = select_ages(read_before(**{f"u{number}": number for number in range(100)}), NOW, allowed=7_200)
    assert (found.late, list(found.seconds)) == (97, [f"u{number}" for number in range(99, 99 - MOST_UNITS, -1)])
