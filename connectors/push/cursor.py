"""Where a unit is read on: behind the number of the last change that was read."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.contract import Cursor


@dataclass(frozen=True, slots=True)
class PushCursor:
    """`number` is that of the last change that was read."""

    number: int = 0

    @classmethod
    def parse(cls, cursor: Cursor | None) -> PushCursor:
        return cls(int((cursor or {}).get("number", 0)))

    def dump(self) -> Cursor:
        return {"number": self.number}
