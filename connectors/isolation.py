"""One object's trouble is its own; that of the source, of the credentials and of the limit is everybody's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError

from connectors.contract import Failed
from connectors.errors import AlreadyFailed, AuthenticationFailed, RateLimited, SourceError, TransientError
from connectors.payloads import describe_fault

T = TypeVar("T")

FAILURES_IN_A_ROW = 3
"""So many objects that fail for a passing reason, one after the other, are trouble of the source itself."""

MALFORMED = (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError)
"""What reading runs into where a payload is not what its provider documents; pydantic's error is a ValueError."""


@dataclass(frozen=True)
class Attempt(Generic[T]):
    """What came of reading one object: what was read, or the error that was raised."""

    found: T | Exception
    took_requests: bool


class Isolation:
    """Turns the trouble of one object into its `Failed`, and leaves a source that is down. One for each read.

    Wrong credentials and a limit are raised at once. So is what fails for a passing reason, once as many objects in a
    row did: what was read before stands, and the next read goes on from the last checkpoint. An object that the
    source refuses, or that is not as documented, says nothing of the others. Neither does one that took no request,
    being at hand, nor one for which something is missing that failed before (AlreadyFailed).

    A row is of objects in the order in which they are judged. A source that reads several at once makes its
    attempts in threads of its own and judges them in order: which of them came to an end first is chance.
    """

    def __init__(self, requests: Callable[[], int]) -> None:
        """`requests` gives how many were sent so far to where the objects are read from, as `Connector.requests`."""
        self._in_a_row = 0
        self._requests = requests

    @property
    def is_exhausted(self) -> bool:
        """Whether so many objects failed in a row that the source itself is in trouble."""
        return self._in_a_row >= FAILURES_IN_A_ROW

    @property
    def is_failing(self) -> bool:
        """Whether the last object failed for a passing reason: a time to start nothing in advance."""
        return self._in_a_row > 0

    def attempt(self, document_id: str, title: str, read: Callable[[], T], url: str = "") -> T | Failed:
        """What `read` returns, or Failed. Raises SourceError where the trouble is not this object's alone."""
        return self.judge(document_id, title, self.observe(read), url)

    def observe(self, read: Callable[[], T]) -> Attempt[T]:
        """What comes of `read`, to be judged in its turn. May be called in several threads at once."""
        sent = self._requests()
        found: T | Exception
        try:
            found = read()
        except (SourceError, *MALFORMED) as error:
            found = error
        return Attempt(found, self._requests() != sent)

    def judge(self, document_id: str, title: str, tried: Attempt[T], url: str = "") -> T | Failed:
        """As `attempt`, of what was read already."""
        found = tried.found
        if isinstance(found, AuthenticationFailed | RateLimited):  # a limit is transient too, and is not the object's
            raise found
        if isinstance(found, TransientError):
            if not isinstance(found, AlreadyFailed):
                self._in_a_row += 1
                if self.is_exhausted:
                    raise found
            return Failed(document_id, title, str(found), url, is_transient=True)
        if tried.took_requests:
            self._in_a_row = 0
        if isinstance(found, SourceError):
            return Failed(document_id, title, str(found), url)
        if isinstance(found, Exception):
            return Failed(document_id, title, f"not as documented: {_described(found)}", url)
        return found


def _described(error: Exception) -> str:
    """What was not as documented, without its contents, which the messages of some errors quote."""
    if isinstance(error, ValidationError):
        return describe_fault(error)
    name = type(error).__name__
    return name if type(error) is ValueError else f"{name}: {error}"
