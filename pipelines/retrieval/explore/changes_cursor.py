"""Where a list of changes goes on, as a text that is handed back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from pydantic import AwareDatetime, TypeAdapter

_MOMENT = TypeAdapter(AwareDatetime)
_STEP = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ListCursor:
    """After `seen` changes of the moment `at`. Many have one: the files of a commit, say."""

    at: datetime
    seen: int

    @classmethod
    def after(cls, times: Sequence[datetime]) -> Self:
        """After changes of these times, the newest first: all of their last moment, from its first on."""
        return cls(times[-1], times.count(times[-1]))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of `str`. Raises ValueError."""
        at, _, seen = text.rpartition("~")
        if not (seen.isascii() and seen.isdigit()) or len(seen) > len("1000000"):
            raise ValueError("is none that was given out")
        return cls(_MOMENT.validate_python(at), int(seen))

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.seen}"

    @property
    def before(self) -> datetime:
        """The moment before which all is that is not newer than `at`."""
        return self.at + _STEP
