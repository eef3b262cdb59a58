"""A few objects of a part stand for all: one of them may be in trouble of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypeVar

from connectors.errors import AuthenticationFailed, NotFound, RateLimited, SourceError

T = TypeVar("T")

SAMPLED = 3
"""So many objects are asked for where the first ones are not given."""
REFUSED_BESIDE_OTHERS = 2
"""So many that are refused, and none that is given, are told of their part; fewer are told as their own trouble."""


class NoneFound(NotFound):
    """A listing shows objects, and none of those that were `asked` for is found at its own address."""

    def __init__(self, error: NotFound, asked: int) -> None:
        self.asked = asked
        others = f", nor are {asked - 1} others" if asked > 1 else ""
        SourceError.__init__(self, f"{error}{others}, although listed")

    @property
    def is_of_part(self) -> bool:
        """Whether they are too many for each to be in trouble of its own."""
        return self.asked >= REFUSED_BESIDE_OTHERS


def find_one(listed: Iterable[T], ask: Callable[[T], object]) -> T | None:
    """The first of a few listed objects that `ask` gets an answer for; None where none is listed.

    Raises the SourceError of the last where none is given, NoneFound where none is found; and at once
    AuthenticationFailed and RateLimited, which are everybody's.
    """
    errors: list[SourceError] = []
    for one in islice(listed, SAMPLED):
        try:
            ask(one)
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            errors.append(error)
        else:
            return one
    missing = [error for error in errors if isinstance(error, NotFound)]
    if errors:
        raise errors[-1] if len(missing) < len(errors) else NoneFound(missing[0], len(missing))
    return None
