"""All values of a field: an engine counts no more of them than it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Value = TypeVar("Value")

_TIMES_MORE = 4


def every_value(count: Callable[[int], Sequence[Value]], points: int) -> Sequence[Value]:
    """What `count` gives when asked for so many values that there are no more. Fields with one value a point have at
    most as many as there are `points`; lists, as of parents or tags, can have any number."""
    limit = points + 1
    while len(found := count(limit)) >= limit:
        limit *= _TIMES_MORE
    return found
