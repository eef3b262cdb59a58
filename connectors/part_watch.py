"""Asking for parts (`connectors.source_parts`): how each stands, when no more is asked of it, what was read without."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from connectors.contract import PartState
from connectors.errors import (
    REFUSALS,
    AlreadyFailed,
    AuthenticationFailed,
    NotFound,
    RateLimited,
    SourceError,
    TransientError,
)
from connectors.sampling import REFUSED_BESIDE_OTHERS
from connectors.source_parts import Part, state_of

T = TypeVar("T")

REFUSED_IN_A_ROW = 3
"""So many refusals in a row, and never an answer, are about the part and not about the objects."""
FAILED_IN_A_ROW = 2
"""Fewer than make the source itself be left (`connectors.isolation.FAILURES_IN_A_ROW`)."""
FAILED_AFTER_ANSWERS = 5
"""Of a part that did answer, or that several objects are asked about at once: some in trouble are no trouble of it."""
PASS_SECONDS = 60.0
"""For which looks at single objects rely on what an earlier pass found out."""
NOTED_AT_MOST = 200
"""Objects that were read without a part; of more, all are read again."""

IsGeneral = Callable[[str, SourceError], bool]
"""Whether a refusal of a part is about it, whichever object is asked about."""


class PartWatch:
    """One for each pass over a connection's units, for all of them: a part that is refused or fails is asked for once
    or a few times, and not for each object.

    Parts that are `dispensable`, because objects are read without them, are closed by the first refusal that is
    general, by several that may be, and by trouble. Others are closed by several general refusals alone: all else is
    the object's own (`connectors.isolation`). Of parts that are an object's `own`, one refusal is told as the object's
    alone. May be used by several threads at once (`in_threads`).
    """

    def __init__(
        self,
        parts: Sequence[Part],
        is_general: IsGeneral,
        dispensable: Collection[str] = (),
        *,
        own: Collection[str] = (),
        in_threads: bool = False,
    ) -> None:
        self._parts = {one.name: one for one in parts}
        self._is_general = is_general
        self._dispensable = dispensable
        self._own = own
        self._in_threads = in_threads
        self._lock = threading.Lock()
        self._answered: set[str] = set()
        self._in_a_row: Counter[tuple[str, bool]] = Counter()
        self._closed: dict[str, SourceError] = {}
        self._told: dict[str, SourceError | None] = {}
        self._begun = time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether what was found out is too old to be relied on: something may have been granted."""
        return time.monotonic() - self._begun > PASS_SECONDS

    def begin_unit(self) -> None:
        """What is told from here on is about another unit."""
        self._told = {}

    def ask(self, part: str, request: Callable[[], T]) -> T:
        """What `request` returns. Raises SourceError: of a part that is closed, the one that closed it, unasked."""
        if part in self._closed:
            self._told[part] = self._closed[part]
            raise self._closed[part]
        try:
            found = request()
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            self._note(part, error)
            raise
        with self._lock:
            self._answered.add(part)
            self._told[part] = None
            self._in_a_row[part, True] = self._in_a_row[part, False] = 0
        return found

    def is_given(self, part: str, request: Callable[[], object]) -> bool:
        """Whether `request` is answered. Raises AuthenticationFailed and RateLimited."""
        try:
            self.ask(part, request)
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError:
            return False
        return True

    def tell(self, part: str, error: SourceError | None) -> None:
        """What is known already of a part that was asked for on behalf of all units."""
        self._told[part] = error

    def is_closed(self, part: str) -> bool:
        return part in self._closed

    def lacks(self, part: str, error: SourceError) -> bool:
        """Whether an error may say that the part is missing, and not only that one object has none of it. Of an object
        that is there, a part that is not found may be found later."""
        may_pass = isinstance(error, TransientError | NotFound)
        return may_pass or part in self._closed or part not in self._answered

    def states(self, id_prefixes: Mapping[str, Sequence[str]] | None = None) -> list[PartState]:
        """How the parts stand that this unit was asked for."""
        prefixes = id_prefixes or {}
        told = sorted(self._told.items())
        return [state_of(self._parts[part], error, prefixes.get(part, ())) for part, error in told]

    def incomplete(self) -> list[PartState]:
        """As `states`, of those that are not complete."""
        return [state for state in self.states() if state.status != "complete"]

    def _note(self, part: str, error: SourceError) -> None:
        is_refusal = isinstance(error, REFUSALS)
        with self._lock:
            self._in_a_row[part, is_refusal] += 1
            row = self._in_a_row[part, is_refusal]
            is_dispensable = part in self._dispensable
            is_general = is_refusal and self._is_general(part, error)
            if not is_refusal:
                is_patient = part in self._answered or self._in_threads
                most = FAILED_AFTER_ANSWERS if is_patient else FAILED_IN_A_ROW
                closes = is_dispensable and row >= most
            else:
                are_many = row >= REFUSED_IN_A_ROW and part not in self._answered
                closes = (is_general or are_many) if is_dispensable else (is_general and are_many)
            if closes:
                self._closed[part] = AlreadyFailed(error) if isinstance(error, TransientError) else error
            # One object that has none of it says nothing of the part, once another one has.
            has_answered = self._told.get(part, error) is None
            is_own = part in self._own and is_refusal and not is_general and row < REFUSED_BESIDE_OTHERS
            if closes or not (has_answered or is_own):
                self._told[part] = error


@dataclass(slots=True)
class LackingObjects:
    """Which objects of a unit were read without which part, by their ids; some of them, where they are many."""

    by_part: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """The inverse of `as_json`."""
        return cls({part: list(ids) for part, ids in (values or {}).items()})

    def as_json(self) -> dict[str, list[str]]:
        return {part: list(ids) for part, ids in self.by_part.items() if ids}

    def note(self, part: str, own: str) -> None:
        ids = self.by_part.setdefault(part, [])
        if own not in ids and len(ids) <= NOTED_AT_MOST:
            ids.append(own)

    def forget(self, own: str) -> None:
        """An object is read anew."""
        for ids in self.by_part.values():
            if own in ids and not self._is_many(ids):
                ids.remove(own)

    def of(self, part: str) -> list[str]:
        return self.by_part.get(part, [])

    def are_many(self, part: str) -> bool:
        """Whether these are more than were noted."""
        return self._is_many(self.of(part))

    def rotate(self, part: str) -> None:
        """Let another object be the first: the one that was may be gone."""
        ids = self.of(part)
        ids.append(ids.pop(0))

    def pop(self, part: str) -> list[str]:
        return self.by_part.pop(part, [])

    @staticmethod
    def _is_many(ids: Collection[str]) -> bool:
        return len(ids) > NOTED_AT_MOST
