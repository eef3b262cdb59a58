"""Debouncing: an object is processed at once, and in a burst again only when its events have calmed down. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Key = TypeVar("Key")

INTERVAL = 2.0
"""Least seconds between two passes over an object while few events wait."""
MAX_WAIT = 60.0
"""Seconds. In a burst, an object processed longer ago is processed again at its first event."""
QUIET_PERIOD = 5.0
"""Seconds without an event after which, in a burst, a recently processed object is processed again."""
MOST_KEYS = 10_000


@dataclass(slots=True)
class Debouncer(Generic[Key]):
    """Times are seconds on one clock. Where it was set back, what it counted from is taken to be long ago."""

    _processed_at: dict[Key, float] = field(default_factory=dict)

    def is_due(self, key: Key, *, first: float, last: float, now: float, burst: bool) -> bool:
        """Whether to process an object now; its waiting events came between `first` and `last`.

        However many events keep coming, it is due within `MAX_WAIT`.
        """
        before = self._processed_at.get(key)
        if before is None or _have_passed(MAX_WAIT if burst else INTERVAL, before, now):
            return True
        return burst and (_have_passed(QUIET_PERIOD, last, now) or _have_passed(MAX_WAIT, first, now))

    def record(self, key: Key, now: float) -> None:
        """Note that an object is being processed."""
        self._processed_at[key] = now
        if len(self._processed_at) > MOST_KEYS:
            self._processed_at = {one: at for one, at in self._processed_at.items() if now - at < MAX_WAIT}


def _have_passed(seconds: float, since: float, now: float) -> bool:
    return not 0 <= now - since < seconds
