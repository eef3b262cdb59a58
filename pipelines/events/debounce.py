"""When an object is looked at: at once, and again soon, or in a burst only when its events have calmed down. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Key = TypeVar("Key")

APART = 2.0
"""Seconds between two looks at an object while little waits."""
RECENT = 60.0
"""Seconds. In a burst, an object looked at longer ago is looked at again at the first event."""
QUIET = 5.0
"""Seconds without an event after which, in a burst, a recently looked-at object is looked at again."""


@dataclass(slots=True)
class Pace(Generic[Key]):
    """Times are seconds on any clock that does not go back."""

    _looked_at: dict[Key, float] = field(default_factory=dict)

    def is_ready(self, key: Key, *, first: float, last: float, now: float, burst: bool) -> bool:
        """Whether to look now; its waiting events came between `first` and `last`.

        However many events keep coming, a look is never more than `RECENT` away.
        """
        before = self._looked_at.get(key)
        if before is None or now - before >= (RECENT if burst else APART):
            return True
        return burst and (now - last >= QUIET or now - first >= RECENT)

    def looked_at(self, key: Key, now: float) -> None:
        self._looked_at[key] = now
        if len(self._looked_at) > 10_000:
            self._looked_at = {one: at for one, at in self._looked_at.items() if now - at < RECENT}
