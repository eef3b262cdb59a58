"""Which cases of a test with many belong to `make test`: the first one, or those that show
each value, or each pair of values, once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TypeAlias

import pytest

STRENGTHS = {"one_case": 0, "each_value": 1, "each_pair": 2}
"""Markers, and how many arguments are looked at together."""
Shown: TypeAlias = frozenset[tuple[tuple[str, int], ...]]


def leave_the_rest_to_slow(items: Iterable[pytest.Item]) -> None:
    """Mark as slow what shows nothing that other cases of the same test do not show already."""
    cases: dict[str, list[pytest.Function]] = defaultdict(list)
    for item in items:
        if (
            isinstance(item, pytest.Function)
            and hasattr(item, "callspec")
            and any(item.get_closest_marker(name) for name in STRENGTHS)
        ):
            cases[item.nodeid.partition("[")[0]].append(item)
    for together in cases.values():
        strength = max(STRENGTHS[name] for name in STRENGTHS if together[0].get_closest_marker(name))
        shown = [_shown(item, strength) for item in together]
        for number in set(range(len(together))) - set(cover(shown)):
            together[number].add_marker(pytest.mark.slow)


def cover(shown: Sequence[Shown]) -> list[int]:
    """Places of few cases, in the order in which they are chosen, that show together all that is shown."""
    missing, chosen = set().union(*shown), []
    while missing:
        best = max(range(len(shown)), key=lambda number: len(shown[number] & missing))
        missing -= shown[best]
        chosen.append(best)
    return chosen


def _shown(item: pytest.Function, strength: int) -> Shown:
    values = [(name, id(value)) for name, value in sorted(item.callspec.params.items())]
    return frozenset(combinations(values, min(strength, len(values))))
