"""One object's trouble is its own; that of the source, of the credentials and of the limit is everybody's."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from connectors.contract import Failed
from connectors.errors import AlreadyFailed, AuthenticationFailed, RateLimited, SourceError, TransientError

T = TypeVar("T")

FAILURES_IN_A_ROW = 3
"""So many objects that fail for a passing reason, one after the other, are trouble of the source itself."""

MALFORMED = (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError)
"""What reading runs into where a payload is not what its provider documents; pydantic's error is a ValueError."""


class Isolation:
    """Turns the trouble of one object into its `Failed`, and leaves a source that is down. One for each read.

    Wrong credentials and a limit are raised at once. So is what fails for a passing reason, once as many objects in a
    row did: what was read before stands, and the next read goes on from the last checkpoint. An object that the
    source refuses, or that is not as documented, says nothing of the others. Neither does one that took no request,
    being at hand, nor one for which something is missing that failed before (AlreadyFailed). Several threads may share
    one: a row is of objects as they come to an end, and only one that was begun after the last failure ends it.
    """

    def __init__(self, requests: Callable[[], int]) -> None:
        """`requests` gives how many were sent so far to where the objects are read from, as `Connector.requests`."""
        self._in_a_row = 0
        self._requests = requests
        self._lock = Lock()

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
        sent, in_a_row = self._requests(), self._in_a_row
        try:
            found: T | Failed = read()
        except (AuthenticationFailed, RateLimited):  # a limit is transient too, and is not the object's
            raise
        except AlreadyFailed as error:
            return Failed(document_id, title, str(error), url, is_transient=True)
        except TransientError as error:
            self._count_failure()
            if self.is_exhausted:
                raise
            return Failed(document_id, title, str(error), url, is_transient=True)
        except SourceError as error:
            found = Failed(document_id, title, str(error), url)
        except MALFORMED as error:
            found = Failed(document_id, title, f"not as documented: {type(error).__name__}: {error}", url)
        if self._requests() != sent:
            self._end_row(in_a_row)
        return found

    def _count_failure(self) -> None:
        with self._lock:  # a source may read several objects at once
            self._in_a_row += 1

    def _end_row(self, at_the_start: int) -> None:
        with self._lock:
            # What was under way when another failed may have been answered before the source went down.
            if self._in_a_row == at_the_start:
                self._in_a_row = 0
